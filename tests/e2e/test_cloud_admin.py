# SPDX-License-Identifier: Apache-2.0
"""Every call of the admin API: its answer, and each of its errors. Names are new in each test,
since all of them share one platform."""

import hashlib
import itertools
import re
import time

import pytest

from lib.device import Device
from lib.product import items

NUMBERS = itertools.count(1)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
UNKNOWN = 999_999_999


def fresh(word):
    return f"{word} {next(NUMBERS)} {time.monotonic_ns()}"


def problem(answer, status):
    """The problem document of an answer that must be one."""
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    found = answer.json
    assert found["status"] == status and found["title"] and found["detail"]
    assert found["type"].startswith("urn:atfota:problem:")
    return found


@pytest.fixture
def oem(cloud):
    return cloud.ok("POST", "oems", {"name": fresh("OEM")})


@pytest.fixture
def model(cloud, oem):
    return cloud.ok("POST", "models", {"oem": oem["name"], "name": fresh("model")})


@pytest.fixture
def product(cloud, model):
    return cloud.ok("POST", "products", {"oem": model["oem"], "model": model["name"]})


@pytest.fixture
def version(cloud, product):
    return cloud.ok("POST", "versions", {"product": product["id"], "name": "V1"})


@pytest.fixture
def published(cloud, version):
    cloud.put_package(version["id"], b"bytes of a package")
    return cloud.ok("POST", f"versions/{version['id']}/publish", {})


def test_health_needs_no_token(cloud):
    answer = cloud.request("GET", "/healthz", token=None)
    assert (answer.status, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", "Basic YTpi", "Bearer atfota_" + "0" * 48])
def test_without_a_good_token_nothing_is_told(cloud, header):
    headers = {"Authorization": header} if header else {}
    for method, path in [("GET", "oems"), ("POST", "oems"), ("GET", "uploads/x"), ("PUT", "versions/1/package")]:
        answer = cloud.request(method, path, b"{}", token=None, headers=headers)
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_oem_lives(cloud):
    name = fresh("Müller & \"Söhne\"")
    made = cloud.request("POST", "oems", {"name": name})
    assert made.status == 201
    oem = made.json
    assert oem["name"] == name and TIME.match(oem["created"]) and isinstance(oem["id"], int)
    assert cloud.ok("GET", f"oems/{oem['id']}") == oem
    assert items(cloud, "/oems", name=name) == [oem]
    problem(cloud.request("POST", "oems", {"name": name}), 409)
    assert cloud.request("DELETE", f"oems/{oem['id']}").status == 204
    problem(cloud.request("GET", f"oems/{oem['id']}"), 404)
    problem(cloud.request("DELETE", f"oems/{oem['id']}"), 404)


def test_a_model_lives(cloud, oem):
    body = {"oem": oem["name"], "name": "7600M21"}
    made = cloud.request("POST", "models", body)
    assert made.status == 201
    model = made.json
    assert {key: model[key] for key in body} == body and TIME.match(model["created"])
    assert cloud.ok("GET", f"models/{model['id']}") == model
    assert items(cloud, "/models", oem=oem["name"], name="7600M21") == [model]
    assert items(cloud, "/models", oem=oem["name"], name="other") == []
    problem(cloud.request("POST", "models", body), 409)
    problem(cloud.request("POST", "models", {"oem": fresh("nobody"), "name": "x"}), 404)
    problem(cloud.request("DELETE", f"oems/{oem['id']}"), 409)
    assert cloud.request("DELETE", f"models/{model['id']}").status == 204
    assert cloud.request("DELETE", f"oems/{oem['id']}").status == 204


def test_a_product_gets_id_and_secret(cloud, model):
    made = cloud.request("POST", "products", {"oem": model["oem"], "model": model["name"], "name": "a label"})
    assert made.status == 201
    product = made.json
    assert re.fullmatch(r"[1-9]\d{9}", product["id"]) and re.fullmatch(r"[0-9a-f]{32}", product["secret"])
    assert product["name"] == "a label" and product["oem"] == model["oem"] and product["model"] == model["name"]
    shown = cloud.ok("GET", f"products/{product['id']}")
    assert shown == {key: value for key, value in product.items() if key != "secret"}
    assert items(cloud, "/products", oem=model["oem"], model=model["name"]) == [shown]
    revealed = cloud.ok("POST", f"products/{product['id']}/secret", {})
    assert revealed == {"id": product["id"], "secret": product["secret"]}
    assert f"the secret of product {product['id']} was shown" in cloud.log()
    assert product["secret"] not in cloud.log()
    problem(cloud.request("DELETE", f"models/{model['id']}"), 409)
    assert cloud.request("DELETE", f"products/{product['id']}").status == 204
    problem(cloud.request("GET", f"products/{product['id']}"), 404)
    problem(cloud.request("POST", f"products/{product['id']}/secret", {}), 404)


def test_a_fleet_is_taken_over_with_its_id_and_secret(cloud, model):
    number = str(time.monotonic_ns())[-18:]
    body = {"oem": model["oem"], "model": model["name"], "id": number, "secret": "visible-ASCII!#$%"}
    assert cloud.ok("POST", "products", body)["secret"] == body["secret"]
    problem(cloud.request("POST", "products", body), 409)
    del body["id"]
    problem(cloud.request("POST", "products", body), 422)
    body = {"oem": model["oem"], "model": model["name"], "id": number + "1"}
    assert re.fullmatch(r"[0-9a-f]{32}", cloud.ok("POST", "products", body)["secret"])


def test_a_version_lives(cloud, product):
    body = {"product": product["id"], "name": "V2", "notes": "first\nsecond", "from": ["V1", "V0.9"]}
    made = cloud.request("POST", "versions", body)
    assert made.status == 201
    version = made.json
    assert {key: version[key] for key in body} == body
    assert version["state"] == "draft" and version["package"] is None
    assert version["published"] is None and version["withdrawn"] is None and TIME.match(version["created"])
    assert cloud.ok("GET", f"versions/{version['id']}") == version
    assert items(cloud, "/versions", product=product["id"], name="V2", state="draft") == [version]
    assert items(cloud, "/versions", product=product["id"], state="published") == []
    problem(cloud.request("POST", "versions", body), 409)
    problem(cloud.request("POST", f"versions/{version['id']}/publish", {}), 409)
    problem(cloud.request("POST", f"versions/{version['id']}/withdraw", {}), 409)
    problem(cloud.request("DELETE", f"products/{product['id']}"), 409)
    assert cloud.request("DELETE", f"versions/{version['id']}").status == 204
    problem(cloud.request("GET", f"versions/{version['id']}"), 404)
    assert cloud.request("DELETE", f"products/{product['id']}").status == 204


def test_a_version_is_published_and_withdrawn(cloud, version, product):
    data = b"\0firmware" * 1000
    path = f"versions/{version['id']}"
    done = cloud.put_package(version["id"], data)
    assert done["package"] == {"digest": hashlib.sha256(data).hexdigest(), "size": len(data)}
    published = cloud.ok("POST", f"{path}/publish", {})
    assert published["state"] == "published" and TIME.match(published["published"])
    assert cloud.ok("POST", f"{path}/publish", {}) == published
    problem(cloud.request("PUT", f"{path}/package", data), 409)
    problem(cloud.request("DELETE", path), 409)
    deployment, = items(cloud, "/deployments", product=product["id"], version=version["id"], state="open")
    assert deployment["version"] == {"id": version["id"], "name": "V1"} and deployment["closed"] is None
    withdrawn = cloud.ok("POST", f"{path}/withdraw", {})
    assert withdrawn["state"] == "withdrawn" and TIME.match(withdrawn["withdrawn"])
    assert cloud.ok("POST", f"{path}/withdraw", {}) == withdrawn
    assert cloud.ok("GET", f"deployments/{deployment['id']}")["state"] == "closed"
    again = cloud.ok("POST", f"{path}/publish", {})
    assert again["state"] == "published" and again["withdrawn"] is None
    states = [(found["id"] != deployment["id"], found["state"]) for found in
              items(cloud, "/deployments", version=version["id"])]
    assert states == [(False, "closed"), (True, "open")]


def test_a_deployment_is_closed_and_opened(cloud, published):
    deployment, = items(cloud, "/deployments", version=published["id"])
    path = f"deployments/{deployment['id']}"
    assert re.fullmatch(r"d\d+", deployment["id"]) and deployment["counts"] == {}
    closed = cloud.ok("POST", f"{path}/close", {})
    assert closed["state"] == "closed" and TIME.match(closed["closed"])
    assert cloud.ok("POST", f"{path}/close", {}) == closed
    assert cloud.ok("GET", f"versions/{published['id']}")["state"] == "published"
    assert cloud.ok("POST", f"{path}/open", {}) == deployment
    cloud.ok("POST", f"versions/{published['id']}/withdraw", {})
    problem(cloud.request("POST", f"{path}/open", {}), 409)
    cloud.ok("POST", f"versions/{published['id']}/publish", {})
    problem(cloud.request("POST", f"{path}/open", {}), 409)


def test_devices_and_reports_are_listed(cloud, product, published):
    device = Device(cloud.url, product["id"], product["secret"], product["oem"], product["model"],
                    device=fresh("imei"), version="V0")
    name = device.names["device"]
    _, offer = device.check("V1", {"attributes": {"hw": "A39", "операtor": "46001"}})
    found, = items(cloud, "/devices", product=product["id"], device=name)
    assert {key: found[key] for key in ("device", "product", "version", "target", "attributes")} == {
        "device": name, "product": product["id"], "version": "V0", "target": "V1",
        "attributes": {"hw": "A39", "операtor": "46001"}}
    assert TIME.match(found["first_seen"]) and TIME.match(found["last_seen"])
    assert cloud.ok("GET", f"devices/{found['id']}") == found
    assert items(cloud, "/devices", product=product["id"], version="V0") == [found]
    assert items(cloud, "/devices", product=product["id"], version="V1") == []
    report_id = b"0123456789abcdef"
    assert device.report(offer["deployment"], 2, id=report_id, received=77)[1]["result"] == 0
    assert device.report(offer["deployment"], 3, code=3)[1]["result"] == 0
    first, second = items(cloud, f"/deployments/{offer['deployment']}/reports", device=name)
    assert TIME.match(first.pop("time"))
    assert first == {"device": name, "state": "downloading", "code": 0, "received": 77, "version": "V0",
                     "report_id": report_id.hex()}
    assert (second["state"], second["code"], second["received"]) == ("downloaded", 3, None)
    assert items(cloud, f"/deployments/{offer['deployment']}/reports", device="other") == []
    assert cloud.ok("GET", f"deployments/{offer['deployment']}")["counts"] == {"downloaded": 1}


def test_a_token_lives(cloud):
    made = cloud.request("POST", "tokens", {"name": "for a test"})
    assert made.status == 201
    token = made.json
    assert cloud.request("GET", "oems", token=token["token"]).status == 200
    listed = [found for found in items(cloud, "/tokens") if found["id"] == token["id"]]
    assert listed == [{"id": token["id"], "name": "for a test", "created": token["created"]}]
    assert token["token"] not in cloud.log()
    assert cloud.request("DELETE", f"tokens/{token['id']}").status == 204
    problem(cloud.request("GET", "oems", token=token["token"]), 401)
    problem(cloud.request("DELETE", f"tokens/{token['id']}"), 404)


def test_the_last_token_stays(cloud):
    tokens = items(cloud, "/tokens")
    assert len(tokens) == 1, "a test left its token behind"
    problem(cloud.request("DELETE", f"tokens/{tokens[0]['id']}"), 409)
    assert cloud.request("GET", "oems").status == 200


def test_lists_come_page_by_page(cloud, oem):
    made = [cloud.ok("POST", "models", {"oem": oem["name"], "name": f"m{i}"}) for i in range(5)]
    page = cloud.ok("GET", f"models?oem={oem['name'].replace(' ', '%20')}&limit=2")
    assert page["items"] == made[:2] and page["next"]
    assert items(cloud, "/models", oem=oem["name"], limit=2) == made
    assert items(cloud, "/models", oem=oem["name"], limit=5) == made
    for query in ("limit=0", "limit=1001", "limit=x", "after=x", "after=-1"):
        problem(cloud.request("GET", f"models?{query}"), 422)


@pytest.mark.parametrize("path", [
    "oems", "models", "products", "versions", "devices", "deployments"])
def test_an_unknown_id_is_not_found(cloud, path):
    for word in (str(UNKNOWN), "0", "x", "d0", "1x", "%00", "-1"):
        if path != "products" or word != "0":
            problem(cloud.request("GET", f"{path}/{word}"), 404)


@pytest.mark.parametrize("method,path", [
    ("DELETE", f"oems/{UNKNOWN}"), ("DELETE", f"models/{UNKNOWN}"), ("DELETE", f"products/{UNKNOWN}"),
    ("DELETE", f"versions/{UNKNOWN}"), ("POST", f"versions/{UNKNOWN}/publish"),
    ("POST", f"versions/{UNKNOWN}/withdraw"), ("PUT", f"versions/{UNKNOWN}/package"),
    ("POST", f"deployments/d{UNKNOWN}/close"), ("POST", f"deployments/d{UNKNOWN}/open"),
    ("GET", f"deployments/d{UNKNOWN}/reports"), ("DELETE", f"tokens/{UNKNOWN}"),
    ("GET", "uploads/nothing"), ("PATCH", "uploads/nothing"), ("DELETE", "uploads/nothing"),
    ("POST", "uploads/nothing/finish"), ("GET", "nothing"), ("POST", "oems/1/nothing")])
def test_what_is_not_there_is_not_found(cloud, method, path):
    problem(cloud.request(method, path, b"{}", headers={"Upload-Offset": "0"}), 404)


def test_an_upload_of_an_unknown_version_is_not_found(cloud):
    problem(cloud.request("POST", f"versions/{UNKNOWN}/uploads", {"size": 1, "digest": "0" * 64}), 404)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\"x\"", b"{\"name\":\"a\",\"name\":\"b\"}", b"{\"name\":\"\xff\"}",
                                  b"{\"name\":\"a\\u0000b\"}", b"{}x"])
def test_a_body_that_is_no_object_is_bad(cloud, body):
    problem(cloud.request("POST", "oems", body), 400)


@pytest.mark.parametrize("path,body", [
    ("oems", {}), ("oems", {"name": ""}), ("oems", {"name": 7}), ("oems", {"name": None}),
    ("oems", {"name": "a" * 65}), ("oems", {"name": "a\nb"}), ("models", {"oem": "x"}), ("models", {"name": "x"}),
    ("products", {"oem": "x", "model": "y", "id": "12a", "secret": "0" * 16}),
    ("products", {"oem": "x", "model": "y", "id": "1" * 21}),
    ("products", {"oem": "x", "model": "y", "id": 5}),
    ("products", {"oem": "x", "model": "y", "id": "5", "secret": "0" * 15}),
    ("products", {"oem": "x", "model": "y", "id": "5", "secret": "0" * 15 + '"'}),
    ("versions", {"product": "1"}), ("versions", {"product": "x", "name": "V"}),
    ("versions", {"product": "1", "name": "V" * 129}), ("versions", {"product": "1", "name": "V", "from": "V0"}),
    ("versions", {"product": "1", "name": "V", "from": [7]}), ("versions", {"product": "1", "name": "V", "from": [""]}),
    ("versions", {"product": "1", "name": "V", "from": ["V"] * 257}),
    ("versions", {"product": "1", "name": "V", "notes": "n" * 4097}), ("tokens", {})])
def test_a_value_that_is_not_allowed_is_named(cloud, path, body):
    found = problem(cloud.request("POST", path, body), 422)
    assert "'" in found["detail"], found


@pytest.mark.parametrize("query,detail", [
    ("versions?state=nonsense", "'state' must be one of: draft, published, withdrawn"),
    ("deployments?state=x", "'state' must be one of: closed, open"),
    ("deployments?version=x", "'version' must be a number")])
def test_a_filter_that_is_not_allowed_is_named(cloud, query, detail):
    assert problem(cloud.request("GET", query), 422)["detail"] == detail


def test_a_body_that_is_empty_is_called_so(cloud):
    answer = cloud.request("POST", "oems", b"")
    assert answer.status == 400 and answer.json["detail"] == "send a JSON object: the body is empty"


def test_a_body_that_is_too_large_is_refused(cloud):
    problem(cloud.request("POST", "oems", b'{"name":"' + b"a" * 70_000 + b'"}'), 413)
    problem(cloud.request("POST", "/device/v1/check", b"a" * 2049, token=None), 413)


def test_a_wrong_method_tells_the_right_ones(cloud):
    answer = cloud.request("PUT", "oems", b"{}")
    problem(answer, 405)
    assert answer.headers["Allow"] == "GET, POST"


def test_a_connection_lives_on_after_errors(cloud):
    connection = cloud.connect()
    for path, status in [("/api/v1/oems/0", 404), ("/nothing", 404), ("/healthz", 200), ("/api/v1/oems", 422)] * 3:
        method = "POST" if status == 422 else "GET"
        connection.request(method, path, b"{}" if status == 422 else None, {"Authorization": f"Bearer {cloud.token}"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()


def test_names_are_unique_among_many_at_once(cloud):
    """Ten threads create the same name; one of them made it."""
    from concurrent.futures import ThreadPoolExecutor
    name = fresh("OEM")
    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda _: cloud.request("POST", "oems", {"name": name}).status, range(10)))
    assert sorted(statuses) == [201] + [409] * 9
