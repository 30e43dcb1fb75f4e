"""Card numbers and CVVs inside the vault's process. They show themselves through `reveal()` alone.

Imported only by the rooms that must hold them (import-linter), and a test lists the call sites of `reveal()`.
"""

import re
from collections.abc import Collection
from typing import Any, Final, NoReturn, Self, final

from chassis.cards import luhn_valid

_PAN = re.compile(r"[0-9]{12,19}")
_CVV = re.compile(r"[0-9]{3,4}")


class CardDataError(ValueError):
    """Text that is not a PAN or a CVV. The message is safe to show and never holds the text."""


class _Masked:
    """What Pan and Cvv share: every way Python has of showing, copying or comparing an object in passing is closed."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        object.__setattr__(self, "_Masked__value", value)

    def reveal(self) -> str:
        """The digits. Each call site is listed in tests/unit/vault_card_data."""
        value: str = object.__getattribute__(self, "_Masked__value")
        return value

    @property
    def masked(self) -> str:
        """What may be shown: PCI DSS 3.4.1."""
        return "•••"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.masked})"

    def __str__(self) -> str:
        return self.masked

    def __format__(self, _spec: str) -> str:
        return self.masked

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None  # type: ignore[assignment]  # unhashable on purpose: no sets, no cache keys

    def __setattr__(self, name: str, value: Any) -> NoReturn:  # Any: as object's
        raise TypeError(f"{type(self).__name__} can't be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise TypeError(f"{type(self).__name__} can't be changed")

    def _refuse(self, *_: Any) -> NoReturn:  # Any: stands in for several protocols
        raise TypeError(f"{type(self).__name__} can't be copied, pickled or taken apart")

    __copy__ = __deepcopy__ = __reduce__ = __reduce_ex__ = __getstate__ = _refuse
    __iter__ = __bytes__ = __len__ = _refuse

    def __init_subclass__(cls) -> None:
        if cls.__mro__[1] is not _Masked:
            raise TypeError(f"{cls.__mro__[1].__name__} is final")


@final
class Pan(_Masked):
    """A primary account number that passes Luhn (ISO/IEC 7812-1)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads digits, with single spaces or hyphens between them. Raises CardDataError."""
        digits = re.sub(r"(?<=[0-9])[ -](?=[0-9])", "", text.strip())
        if not _PAN.fullmatch(digits) or not luhn_valid(digits) or len(set(digits)) == 1:
            raise CardDataError("That card number doesn't look right. Please check the digits.")
        return cls(digits)

    @property
    def last4(self) -> str:
        """The last four digits, which may be shown and stored (PCI DSS 3.4.1)."""
        return self.reveal()[-4:]

    @property
    def masked(self) -> str:
        return f"•••• {self.last4}"


@final
class Cvv(_Masked):
    """A card verification value: sensitive authentication data, never kept once it was used (PCI DSS 3.3.1)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, *, sizes: Collection[int] = (3, 4)) -> Self:
        """Reads as many digits as one of `sizes` (4 for American Express). Raises CardDataError."""
        digits = text.strip()
        if not _CVV.fullmatch(digits) or len(digits) not in sizes:
            raise CardDataError(f"The security code has {' or '.join(map(str, sizes))} digits.")
        return cls(digits)


CARD_DATA_TYPES: Final = (Pan, Cvv)
