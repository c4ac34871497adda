"""A request that is being answered, and what it may ask back."""

import threading


class Conversation:
    """A request that is being answered. Questions to the engine go on the same number."""

    def __init__(self, link, number):
        self.number = number
        self._link = link
        self._answers = []
        self._arrived = threading.Condition()

    def ask(self, what, body=None):
        """Asks the engine for something, and waits for the answer."""
        self._link.send({"id": self.number, "ask": what, "body": body})
        with self._arrived:
            while not self._answers:
                self._arrived.wait()
            answer = self._answers.pop(0)
        if "fault" in answer:
            from ansible.errors import AnsibleError

            raise AnsibleError(answer["fault"])
        return answer.get("answer")

    def put(self, frame):
        """Hands over an answer of the engine."""
        with self._arrived:
            self._answers.append(frame)
            self._arrived.notify()
