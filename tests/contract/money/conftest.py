import pytest

from tests.contract.conftest import MoneyStores
from tests.contract.money.billing_services import Services, build_services


@pytest.fixture
def services(money: MoneyStores) -> Services:
    return build_services(money)
