"""Widgets whose messages a test reads."""

import json


class Heard:
    """Before a widget's class: keeps what it sends, which must be JSON."""

    def __init__(self, **arguments):
        self.sent = []
        super().__init__(**arguments)
        self.wait(60)

    def send(self, content, buffers=None):
        json.dumps(content, allow_nan=False)
        self.sent.append(content)

    def ask(self, number, **state):
        message = {"type": "train", "id": number, "state": {**self.state, **state}}
        self._handle_custom_msg(message, [])

    def of(self, number, kind):
        return [m for m in self.sent if m["id"] == number and m["type"] == kind]


def collected(contents, last=()):
    """The whole of each net, from its name and what is new about it: lists grow, but for ``last``.

    Of those only the newest is kept.
    """
    nets = {}
    for name, content in contents:
        if content is None:
            continue
        net = nets.setdefault(name, {})
        for key, value in content.items():
            grows = isinstance(value, list) and key not in last
            net[key] = net.get(key, []) + value if grows else value
    return nets
