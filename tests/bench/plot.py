"""A plot with two logarithmic axes, as SVG: solid lines are Tandem's, dashed ones Dovecot's."""
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 460, 60, 250, 40, 50
COLOURS = ["#1f5fa8", "#c2571a", "#2b8a3e", "#8a2b84", "#7a6a00"]


def decades(values):
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    return range(low, max(high, low + 1) + 1)


def number(exponent):
    return f"{10 ** exponent:,}" if exponent >= 0 else f"{10.0 ** exponent:g}"


def plot(x_title, y_title, series):
    """`series`: {"tandem": {name: [(x, y)]}, "dovecot": ...}"""
    points = [p for lines in series.values() for line in lines.values() for p in line]
    if not points:
        return "<svg xmlns='http://www.w3.org/2000/svg'/>\n"
    xs, ys = decades([p[0] for p in points]), decades([p[1] for p in points])

    def at(value, axis, start, length):
        return start + (math.log10(value) - axis[0]) / (axis[-1] - axis[0]) * length

    def x(value):
        return at(value, xs, LEFT, WIDTH - LEFT - RIGHT)

    def y(value):
        return at(value, ys, HEIGHT - BOTTOM, TOP + BOTTOM - HEIGHT)

    out = [f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}' "
           f"font-family='sans-serif' font-size='12'>",
           "<rect width='100%' height='100%' fill='white'/>"]
    for e in xs:
        out.append(f"<path d='M{x(10 ** e):.1f} {TOP}V{HEIGHT - BOTTOM}' stroke='#ddd'/>"
                   f"<text x='{x(10 ** e):.1f}' y='{HEIGHT - BOTTOM + 18}' "
                   f"text-anchor='middle'>{number(e)}</text>")
    for e in ys:
        out.append(f"<path d='M{LEFT} {y(10.0 ** e):.1f}H{WIDTH - RIGHT}' stroke='#ddd'/>"
                   f"<text x='{LEFT - 6}' y='{y(10.0 ** e) + 4:.1f}' "
                   f"text-anchor='end'>{number(e)}</text>")
    out.append(f"<text x='{(LEFT + WIDTH - RIGHT) / 2}' y='{HEIGHT - 12}' "
               f"text-anchor='middle'>{x_title}</text><text x='{LEFT}' y='22'>{y_title}</text>")
    row = 0
    for server, lines in series.items():
        dash = " stroke-dasharray='5 4'" if server != "tandem" else ""
        for (name, line), colour in zip(lines.items(), COLOURS):
            if not line:
                continue
            path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in line)
            out.append(f"<polyline points='{path}' fill='none' stroke='{colour}' "
                       f"stroke-width='2'{dash}/>")
            at_y = TOP + 10 + 18 * row
            out.append(f"<path d='M{WIDTH - RIGHT + 14} {at_y}h26' stroke='{colour}' "
                       f"stroke-width='2'{dash}/><text x='{WIDTH - RIGHT + 46}' "
                       f"y='{at_y + 4}'>{name}, {server.capitalize()}</text>")
            row += 1
    out.append("</svg>\n")
    return "\n".join(out)
