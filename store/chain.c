#include "store/chain.h"

void chains_init(struct chains *chains)
{
    *chains = (struct chains){0};
    pthread_mutex_init(&chains->lock, NULL);
    pthread_cond_init(&chains->changed, NULL);
}

void chains_finish(struct chains *chains)
{
    pthread_mutex_destroy(&chains->lock);
    pthread_cond_destroy(&chains->changed);
}

void chain_begin(struct chains *chains)
{
    pthread_mutex_lock(&chains->lock);
    while (chains->held)
        pthread_cond_wait(&chains->changed, &chains->lock);
    chains->under_way++;
    pthread_mutex_unlock(&chains->lock);
}

void chain_end(struct chains *chains)
{
    pthread_mutex_lock(&chains->lock);
    chains->under_way--;
    pthread_cond_broadcast(&chains->changed);
    pthread_mutex_unlock(&chains->lock);
}

void chains_hold(struct chains *chains)
{
    pthread_mutex_lock(&chains->lock);
    while (chains->held) /* another one's */
        pthread_cond_wait(&chains->changed, &chains->lock);
    chains->held = true;
    while (chains->under_way)
        pthread_cond_wait(&chains->changed, &chains->lock);
    pthread_mutex_unlock(&chains->lock);
}

void chains_release(struct chains *chains)
{
    pthread_mutex_lock(&chains->lock);
    chains->held = false;
    pthread_cond_broadcast(&chains->changed);
    pthread_mutex_unlock(&chains->lock);
}
