"""Mail of real shape, made from a seed: the same seed gives the same octets everywhere.

    for message in corpus.messages(3000): ...      bytes, CRLF line ends, a CRLF at the end
    python3 tests/lib/corpus.py FOLDER COUNT [SEED]     files 00001.eml ..., for other tools

Sizes are lognormal (median 12 KB, mean 35 KB, three in 1000 between 1 and 5 MB). Four in ten are
answers within a thread. Bodies are text in five languages and charsets, some with HTML beside it,
some with attachments.
"""
import base64
import os
import quopri
import random
import sys
from email.utils import formatdate

WORDS = {
    "us-ascii": "the meeting on Thursday was moved to the small room because nobody could find the key "
                "please send your figures before noon so that we can print them in time for everybody "
                "invoice order shipment garden ferry lighthouse budget answer question window".split(),
    "iso-8859-1": "können wir den Termin für nächste Woche bestätigen die Grüße aus München über größere "
                  "Übersicht Straße schön möglich natürlich später würde Büro Schlüssel Maß".split(),
    "utf-8": "xin chào chị báo giá đơn hàng tháng mười hai đã sẵn sàng giao trước ngày năm trân trọng "
             "cảm ơn anh về bản hợp đồng tiếng Việt được gửi kèm theo thư này – nhé €".split(),
    "iso-2022-jp": "お世話に なって おります 来週の 打ち合わせ 水曜日 午後 三時 資料 添付 確認 よろしく".split(),
    "windows-1252": "l’équipe a préparé le devis “provisoire” – à vérifier avant mercredi coût 49 € "
                    "très bientôt garçon où être forêt naïve".split(),
}
PEOPLE = ["anna@example.org", "bob@example.org", "carol@example.net", "dora@example.net",
          "emil@example.com", "frida@example.org", "huong@tra-sen.example", "tanaka@example.jp"]
EPOCH = 1763800000


def sentence(rng, charset):
    words = rng.choices(WORDS[charset], k=rng.randint(5, 18))
    return " ".join(words).capitalize() + "."


def text(rng, charset, size):
    lines, left = [], size
    while left > 0:
        line = sentence(rng, charset)
        if rng.random() < 0.02:
            line = "." + line  # needs dot-stuffing
        lines.append(line)
        if rng.random() < 0.2:
            lines.append("")
        left -= len(line) + 2
    return "\n".join(lines) + "\n"


def encoded(rng, charset, body):
    """(Content-Transfer-Encoding, octets with LF)"""
    raw = body.encode(charset, "replace")
    if charset in ("us-ascii", "iso-2022-jp"):
        return "7bit", raw
    way = rng.choice(["8bit", "quoted-printable", "base64"])
    if way == "quoted-printable":
        return way, quopri.encodestring(raw)
    if way == "base64":
        return way, base64.encodebytes(raw)
    return way, raw


def part(headers, octets):
    return "".join(f"{k}: {v}\n" for k, v in headers).encode() + b"\n" + octets


def text_part(rng, charset, size, subtype="plain"):
    body = text(rng, charset, size)
    if subtype == "html":
        body = "<html><body>\n" + "".join(f"<p>{x}</p>\n" for x in body.split("\n\n")) + \
               "</body></html>\n"
    cte, octets = encoded(rng, charset, body)
    return [("Content-Type", f"text/{subtype}; charset={charset}"),
            ("Content-Transfer-Encoding", cte)], octets


def multipart(rng, subtype, parts):
    boundary = f"=_{rng.getrandbits(64):016x}"
    octets = b"".join(b"--" + boundary.encode() + b"\n" + part(*p) + b"\n" for p in parts)
    return [("Content-Type", f'multipart/{subtype}; boundary="{boundary}"')], \
        octets + b"--" + boundary.encode() + b"--\n"


def attachment(rng, size):
    kind, name = rng.choice([("application/pdf", "offer.pdf"), ("image/jpeg", "IMG_0042.jpg"),
                             ("application/zip", "minutes.zip")])
    octets = base64.encodebytes(rng.randbytes(max(1, size * 3 // 4)))
    return [("Content-Type", f'{kind}; name="{name}"'), ("Content-Transfer-Encoding", "base64"),
            ("Content-Disposition", f'attachment; filename="{name}"')], octets


def encoded_word(charset, words):
    if charset == "us-ascii":
        return words
    octets = base64.b64encode(words.encode(charset, "replace")).decode()
    return f"=?{charset}?B?{octets}?="


def size_of(rng):
    if rng.random() < 0.003:
        return rng.randint(1 << 20, 5 << 20)
    return int(min(max(rng.lognormvariate(9.0, 1.1), 300), 900_000))


def messages(count, seed=1):
    rng = random.Random(seed)
    recent = []  # (message id, references, subject) that may be answered
    for number in range(1, count + 1):
        charset = rng.choices(list(WORDS), weights=[5, 2, 3, 1, 1])[0]
        message_id = f"<{number}.{rng.getrandbits(40):x}@{rng.choice(PEOPLE).split('@')[1]}>"
        headers = [("From", f"{rng.choice(['Anna', 'Bob', 'Carol'])} <{rng.choice(PEOPLE)}>"),
                   ("To", ", ".join(rng.sample(PEOPLE, rng.choice([1, 1, 1, 2, 5]))))]
        references = []
        if recent and rng.random() < 0.4:
            answered, earlier, subject = rng.choice(recent)
            references = earlier[-8:] + [answered]
            subject = subject if subject.startswith("Re: ") else "Re: " + subject
            headers.append(("In-Reply-To", answered))
            headers.append(("References", "\n ".join(references)))
        else:
            subject = encoded_word(charset, " ".join(rng.choices(WORDS[charset], k=5)))
        recent = recent[-200:] + [(message_id, references, subject)]
        headers += [("Subject", subject), ("Message-ID", message_id), ("MIME-Version", "1.0"),
                    ("Date", formatdate(EPOCH + number * 61, localtime=False))]
        size = size_of(rng)
        if size > 60_000 or rng.random() < 0.15:
            body = multipart(rng, "mixed", [text_part(rng, charset, min(size // 4, 4000)),
                                            attachment(rng, size)])
        elif rng.random() < 0.4:
            body = multipart(rng, "alternative", [text_part(rng, charset, size // 3),
                                                  text_part(rng, charset, size * 2 // 3, "html")])
        else:
            body = text_part(rng, charset, size)
        yield part(headers + body[0], body[1]).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    folder, count = sys.argv[1], int(sys.argv[2])
    os.makedirs(folder, exist_ok=True)
    for number, octets in enumerate(messages(count, *map(int, sys.argv[3:4])), 1):
        with open(os.path.join(folder, f"{number:05d}.eml"), "wb") as f:
            f.write(octets)


if __name__ == "__main__":
    main()
