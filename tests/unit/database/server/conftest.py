from tests.unit.database.shop_server import farm, running, volume

__all__ = ["farm", "running", "volume"]
