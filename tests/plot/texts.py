"""Where the texts of a figure are."""

from itertools import combinations


def drawn(figure):
    """The figure with all its texts in their places."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure).draw()
    return figure


def texts_of(figure):
    """Every visible text of the figure, drawn, with its rectangle."""
    from matplotlib.text import Text

    found = [one for one in drawn(figure).findobj(Text) if one.get_text().strip() and one.get_visible()]
    return [(one.get_text(), one.get_window_extent()) for one in found]


def check_texts(figure, *, repeated=False):
    """No text meets another or leaves the sheet; the same text may stand on itself if ``repeated``."""
    texts = texts_of(figure)
    for text, box in texts:
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width, text
        assert 0 <= box.y0 < box.y1 <= figure.bbox.height, text
    for (text, box), (other, another) in combinations(texts, 2):
        assert not box.overlaps(another) or (repeated and text == other), (text, other)
