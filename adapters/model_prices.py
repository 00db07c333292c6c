"""What a model's tokens cost, from the price list inside the genai-prices package.

Triggered once for each reply that was generated; US dollars as decimal text come out, or None. The
list is as old as the installed package: nothing is fetched.
"""

from genai_prices import Usage, calc_price


class GenaiPrices:
    """Fulfils application.ports.Prices."""

    def __init__(self) -> None:
        # Reading the list takes 0.2 s: at the start of the process, not in the first reply.
        calc_price(Usage(input_tokens=0, output_tokens=0), "gpt-4o")

    def price(self, model: str, input_tokens: int | None, output_tokens: int | None) -> str | None:
        """The price as "0.00012", None where the model or a number of tokens is unknown.

        A model is known by its name alone, so a server of one's own that uses a public model's name
        is priced as if it were that one.
        """
        if input_tokens is None or output_tokens is None:
            return None
        usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
        try:
            price = calc_price(usage, model)
        except LookupError:
            return None
        return f"{price.total_price.normalize():f}"
