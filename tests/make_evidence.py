#!/usr/bin/env python3
"""Writes tests/evidence/ anew: small synthetic evidence, told file by file in docs/sample-evidence.md.

Nothing here depends on a clock or on chance, so the files come out byte for byte the same (with zlib 1.2 or 1.3).
The only real values are the published Storm-0558 indicators; everyone else is .example or a documentation address.
"""

import base64
import csv
import gzip
import io
import json
import pathlib
import zipfile

OUT = pathlib.Path(__file__).parent / "evidence"
TENANT = "11111111-2222-3333-4444-555555555555"
EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
CHROME_92 = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/92.0.4515.159 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/114.0"


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


# Purview audit export -------------------------------------------------------------------------------------------------


def mail_access(number, time, user, address, access="Bind", throttled="False", **more):
    folders = [{"Id": "LgAAAA==", "Path": "\\Inbox", "FolderItems": [
        {"Id": f"RgAAAA{number}A==", "InternetMessageId": f"<m{number}@contoso.example>"}]}]
    record = {
        "CreationTime": time,
        "Id": f"7d3c1f52-0000-4000-8000-{number:012d}",
        "Operation": "MailItemsAccessed",
        "OrganizationId": TENANT,
        "RecordType": 50,
        "ResultStatus": "Succeeded",
        "UserKey": f"1003200{number}AAAAAAAA",
        "UserType": 0,
        "Version": 1,
        "Workload": "Exchange",
        "UserId": user,
        "AppId": EXCHANGE_ONLINE,
        "ClientAppId": "",
        "ClientIPAddress": address,
        "ClientInfoString": "Client=OWA;Action=ViaProxy",
        "ExternalAccess": False,
        "InternalLogonType": 0,
        "LogonType": 0,
        "MailboxOwnerUPN": user,
        "OperationProperties": [
            {"Name": "MailAccessType", "Value": access}, {"Name": "IsThrottled", "Value": throttled}],
        "OrganizationName": "contoso.example",
        "OriginatingServer": "DB9PR04MB0000 (15.20.8005.017)",
        "OperationCount": 1,
        "Folders": folders if access == "Bind" else [],
    }
    if access == "Sync":
        record["Item"] = {"ParentFolder": {"Path": "\\Inbox"}}
    record.update(more)
    return record


def purview():
    signed_in = {
        "ActorIpAddress": "203.0.113.10",
        "ApplicationId": "4345a7b9-9a63-4910-a426-35363201d503",
        "AzureActiveDirectoryEventType": 1,
        "ClientIP": "203.0.113.10",
        "CreationTime": "2023-06-07T02:58:13",
        "ExtendedProperties": [
            {"Name": "UserAgent", "Value": FIREFOX},
            {"Name": "RequestType", "Value": "OAuth2:Authorize"},
            {"Name": "ResultStatusDetail", "Value": "Success"}],
        "Id": "ca0efc24-0000-4000-8000-000000000001",
        "ObjectId": "00000002-0000-0000-c000-000000000000",
        "Operation": "UserLoggedIn",
        "OrganizationId": TENANT,
        "RecordType": 15,
        "ResultStatus": "Succeeded",
        "UserId": "user1@contoso.example",
        "UserKey": "10032001AAAAAAAA",
        "UserType": 0,
        "Version": 1,
        "Workload": "AzureActiveDirectory",
    }
    # JSON inside a JSON string inside a CSV cell, as real exports have it.
    principal = {
        "CreationTime": "2023-07-01T04:05:03",
        "Id": "7d3c1f52-0000-4000-8000-000000000101",
        "Operation": "Add service principal.",
        "OrganizationId": TENANT,
        "RecordType": 8,
        "ResultStatus": "Success",
        "UserKey": "Not Available",
        "UserType": 4,
        "Version": 1,
        "Workload": "AzureActiveDirectory",
        "ObjectId": "66666666-0000-4000-8000-000000000001",
        "UserId": "admin1@contoso.example",
        "AzureActiveDirectoryEventType": 1,
        "ExtendedProperties": [{"Name": "additionalDetails", "Value": compact(
            {"AppId": "66666666-0000-4000-8000-000000000001", "CallerIp": "185.38.142.249"})}],
        "ModifiedProperties": [{"Name": "AccountEnabled", "NewValue": "[\r\n  true\r\n]", "OldValue": "[]"}],
    }
    user1, user2, user3 = (f"user{n}@contoso.example" for n in (1, 2, 3))
    records = [
        signed_in,
        # Found, inside the window; the client string is the corroborating one.
        mail_access(1, "2023-06-07T03:12:44", user1, "195.26.87.219",
                    ClientInfoString="Client=REST;Client=RESTSystem;;",
                    ClientAppId="aaaaaaaa-0000-4000-8000-000000000001"),
        # Found, outside the window.
        mail_access(2, "2023-09-14T08:30:00", user2, "195.26.87.219"),
        # Found, on the last second of the window's last day; then not inside any more.
        mail_access(3, "2023-07-04T23:59:59", user3, "[::ffff:146.0.74.16]:50123"),
        mail_access(4, "2023-07-05T00:00:00", user3, "146.0.74.16:50124"),
        principal,
        # Near misses: one digit fewer, one more, a version of five groups, a longer first group.
        mail_access(5, "2023-06-07T03:20:00", user1, "195.26.87.21"),
        mail_access(6, "2023-06-07T03:21:00", user1, "198.51.100.20", ClientRequestId="195.26.87.2190",
                    ClientVersion="15.195.26.87.219", ClientMachineName="5195.26.87.219"),
        # Throttled Sync: the whole folder may have been read, and later reads were not written down.
        mail_access(7, "2023-06-08T10:00:00", user2, "198.51.100.7", access="Sync", throttled="True"),
        mail_access(8, "2023-06-08T10:05:00", user2, "198.51.100.7"),
    ]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["RecordId", "CreationDate", "RecordType", "Operation", "UserId", "AuditData",
                     "AssociatedAdminUnits", "AssociatedAdminUnitsNames"])
    for record in records:
        # Both forms of the date occur in real exports.
        date = "7/1/2023 4:05:03 AM" if record is principal else record["CreationTime"] + ".0000000Z "
        writer.writerow([record["Id"], date, record["RecordType"], record["Operation"], record["UserId"],
                         compact(record), "", ""])
    return out.getvalue().encode()


# Entra sign-ins -------------------------------------------------------------------------------------------------------


def sign_in(number, time, user, address, category="SignInLogs", **properties):
    return compact({
        "time": time,
        "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity",
        "category": category,
        "tenantId": TENANT,
        "resultType": "0",
        "callerIpAddress": address,
        "correlationId": f"c0000000-0000-4000-8000-{number:012d}",
        "Level": 4,
        "properties": {
            "id": f"50000000-0000-4000-8000-{number:012d}",
            "createdDateTime": time,
            "userPrincipalName": user,
            "appId": EXCHANGE_ONLINE,
            "clientAppUsed": "Browser",
            "isInteractive": True,
            **properties,
        },
    })


def sign_ins():
    user1, user2 = "user1@contoso.example", "user2@contoso.example"
    lines = [
        sign_in(1, "2023-05-10T08:00:00.1234567Z", user1, "203.0.113.10"),
        # Found: a port, a mapped address, the same in capitals, and with one dot written as a JSON escape.
        sign_in(2, "2023-05-11T02:14:09.1234567Z", user1, "[::ffff:51.89.156.153]:44321"),
        sign_in(3, "2023-05-11T02:15:30.0000000Z", user1, "::FFFF:51.89.156.153"),
        sign_in(4, "2023-05-12T01:00:00.0000000Z", user2, "51.89.156@153").replace("@153", "\\u002e153"),
        # Found, after the window's last day.
        sign_in(5, "2024-02-02T09:00:00.0000000Z", user2, "137.74.181.100"),
        # Found: the thumbprint of the acquired key, in capitals.
        sign_in(6, "2023-06-20T05:00:00.0000000Z", "", "203.0.113.40", category="ServicePrincipalSignInLogs",
                servicePrincipalCredentialThumbprint="D4B4CCCDA9228624656BFF33D8110955779632AA"),
        # Near misses.
        sign_in(7, "2023-05-11T02:16:00.0000000Z", user1, "151.89.156.153"),
        sign_in(8, "2023-05-11T02:17:00.0000000Z", user1, "[::ffff:51.89.156.15]:44321"),
        sign_in(9, "2023-05-11T02:18:00.0000000Z", user1, "198.51.100.21", clientVersion="51.89.156.153.1"),
        sign_in(10, "2023-05-11T02:19:00.0000000Z", user2, "2001:db8::51:89:156:153"),
        sign_in(11, "2023-06-20T05:01:00.0000000Z", "", "203.0.113.40", category="ServicePrincipalSignInLogs",
                servicePrincipalCredentialThumbprint="D4B4CCCDA9228624656BFF33D8110955779632AB"),
    ]
    return gzipped(("\n".join(lines) + "\n").encode())


def gzipped(data):
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=9, mtime=0) as stream:
        stream.write(data)
    return out.getvalue()


# Mail export ----------------------------------------------------------------------------------------------------------


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members:
            member = zipfile.ZipInfo(name, date_time=(2023, 6, 9, 12, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3
            member.external_attr = 0o644 << 16
            archive.writestr(member, data)
    return out.getvalue()


def base64_lines(data):
    text = base64.b64encode(data).decode()
    return "\n".join(text[at:at + 76] for at in range(0, len(text), 76))


def message(number, date, sender, recipient, subject, body, content_type="text/plain; charset=utf-8",
            encoding="7bit", relay="192.0.2.30", extra=""):
    return (
        f"Received: from mx.fabrikam.example ({relay}) by mail.contoso.example; {date}\n"
        f"Message-ID: <m{number}@fabrikam.example>\nDate: {date}\nFrom: {sender}\nTo: {recipient}\n"
        f"Subject: {subject}\n{extra}MIME-Version: 1.0\nContent-Type: {content_type}\n"
        f"Content-Transfer-Encoding: {encoding}\n\n{body}\n")


def mailbox():
    sender, recipient = "user9@fabrikam.example", "user1@contoso.example"
    connections = (
        "time,source,destination,port\r\n"
        "2023-06-09T01:10:00Z,192.0.2.51,85.239.63.160,443\r\n"
        "2023-06-09T01:11:00Z,192.0.2.51,85.239.63.16,443\r\n"
        "2023-06-09T01:12:00Z,192.0.2.52,185.239.63.160,443\r\n")
    archive = zipped([
        ("logs/connections.csv", connections),
        ("readme.txt", "Connections of two hosts. Format version 85.239.63.160.2, nothing else.\n"),
    ])
    boundary = "=_part_0001"
    with_zip = (
        f"--{boundary}\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit\n\n"
        "The connections you asked for are attached.\n\n"
        f"--{boundary}\nContent-Type: application/zip; name=\"connections.zip\"\n"
        "Content-Transfer-Encoding: base64\n"
        f"Content-Disposition: attachment; filename=\"connections.zip\"\n\n{base64_lines(archive)}\n"
        f"--{boundary}--")
    # The soft line break falls inside the address; the umlauts are Latin-1.
    quoted_printable = (
        "Gr=FC=DFe,\n\nthe gateway saw 91.222.=\n174.41 again at 3 =3D half past two UTC.\n\n"
        "It also saw 91.222.=\n174.4 which is a printer.")
    in_base64 = "Weiterleitung: 185.38.142.249 am 29. Juni.\nNicht gemeint: 185.38.142.24 und 185.38.142.2490.\n"
    html = (
        "<html><body><p>Sign-in from <b>193&#46;105&#46;134&#46;58</b> was blocked.</p>"
        "<p>Build 193.105.134.58.7 is installed.</p></body></html>")
    quotes = (
        "Please block what the advisory lists, among others\n\n"
        "    185[.]236[.]228[.]183\n\n"
        "and read hxxps://www.cisa[.]gov/news-events/cybersecurity-advisories/aa23-193a first.\n"
        ">From the gateway we have seen none of it.")
    messages = [
        message(1, "Tue, 06 Jun 2023 09:00:00 +0000", sender, recipient, "Minutes",
                "Nothing to see here.\n\nRelease 195.26.87 of the gateway is out."),
        message(2, "Fri, 09 Jun 2023 12:00:00 +0000", sender, recipient, "Connections", with_zip,
                content_type=f"multipart/mixed; boundary=\"{boundary}\""),
        message(3, "Wed, 12 Jul 2023 15:00:00 +0000", "soc@contoso.example", "all@contoso.example",
                "Advisory AA23-193A", quotes),
        message(4, "Sat, 01 Jul 2023 02:31:00 +0000", sender, recipient, "=?iso-8859-1?Q?Gr=FC=DFe?=",
                quoted_printable, content_type="text/plain; charset=iso-8859-1", encoding="quoted-printable"),
        message(5, "Fri, 30 Jun 2023 06:00:00 +0000", sender, recipient,
                "=?utf-8?B?" + base64.b64encode("Weiterleitung für heute".encode()).decode() + "?=",
                base64_lines(in_base64.encode()), encoding="base64"),
        message(6, "Sun, 25 Jun 2023 07:00:00 +0200", sender, recipient, "Blocked sign-in", html,
                content_type="text/html; charset=us-ascii"),
        message(7, "Mon, 15 May 2023 03:00:00 +0000", sender, "user2@contoso.example", "Hello", "See you.",
                extra="X-Originating-IP: [146.70.157.45]\n"),
        message(8, "Mon, 15 May 2023 03:05:00 +0000", sender, "user2@contoso.example", "Hello again", "See you.",
                extra="X-Originating-IP: [146.70.157.4]\n", relay="46.70.157.45"),
    ]
    lines = [f"From {sender} Thu Jul 13 08:00:{number:02d} 2023\n{text}\n" for number, text in enumerate(messages)]
    return "".join(lines).encode()


# Outlook on the web, front-end log ------------------------------------------------------------------------------------


def owa_log():
    chrome = CHROME_92.replace(" ", "+")
    firefox = FIREFOX.replace(" ", "+")
    fields = ("date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) "
              "sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken")

    def line(time, query, user, client, agent=firefox, stem="/owa/service.svc"):
        return f"2023-06-07 {time} 192.0.2.20 POST {stem} {query} 443 {user} {client} {agent} - 200 0 0 5400 1200 42"

    lines = [
        "#Software: Microsoft Internet Information Services 10.0",
        "#Version: 1.0",
        "#Date: 2023-06-07 03:00:00",
        f"#Fields: {fields}",
        line("03:00:01", "action=GetItem&CorrelationID=<empty>;", "CONTOSO\\user1", "198.51.100.7"),
        # Found: the address inside its window, and the listed browser.
        line("03:12:44", "action=FindItem&CorrelationID=<empty>;", "CONTOSO\\user1", "85.239.63.160", agent=chrome),
        # Found: the action.
        line("03:12:50", "action=GetAccessTokenForResource&CorrelationID=<empty>;", "CONTOSO\\user1",
             "198.51.100.7"),
        # Found: the address behind percent signs.
        line("03:13:10", "action=FindItem&forwarded=85%2E239%2E63%2E160;", "CONTOSO\\user2", "192.0.2.60"),
        # Near misses.
        line("03:14:00", "action=FindItem&build=85.239.63.160.1;", "CONTOSO\\user2", "85.239.63.16"),
        line("03:14:01", "action=GetAccessToken&CorrelationID=<empty>;", "CONTOSO\\user2", "185.239.63.160",
             agent=chrome.replace("Chrome/92.0.4515.159", "Chrome/92.0.4515.15")),
        # The columns change in the middle of the file, as they do when an administrator edits them.
        "#Date: 2023-06-07 12:00:00",
        "#Fields: date time c-ip cs-username cs-method cs-uri-stem cs(User-Agent) sc-status",
        f"2023-06-07 12:00:01 198.51.100.9 user3@contoso.example GET /owa/ {firefox} 200",
        # Found: in another column than before.
        f"2023-06-07 23:59:59 195.26.87.219 user3@contoso.example GET /owa/ {firefox} 200",
        f"2023-06-07 23:59:59 195.26.8.219 user3@contoso.example GET /owa/ {firefox} 200",
    ]
    return "".join(line + "\r\n" for line in lines).encode()


# A file that was cut off ----------------------------------------------------------------------------------------------


def cut_log():
    lines = []
    for number in range(400):
        minute, second = divmod(number * 7, 60)
        source, target = number * 37 % 250 + 1, number * 101 % 250 + 1
        size = number * 2654435761 % 4294967296
        lines.append(f"2023-06-05T04:{minute % 60:02d}:{second:02d}Z gw01.contoso.example proxy[811]: "
                     f"192.0.2.{source} -> 203.0.113.{target}:443 bytes={size} session={size ^ 0x5bd1e995:08x}")
    # Found, before the cut; its near miss; and one that nobody can find, because it was cut off.
    lines[20] = "2023-06-05T04:02:20Z gw01.contoso.example proxy[811]: 192.0.2.77 -> 176.31.90.129:443 bytes=5120"
    lines[21] = "2023-06-05T04:02:27Z gw01.contoso.example proxy[811]: 192.0.2.77 -> 176.31.90.12:443 bytes=5120"
    lines[390] = "2023-06-05T04:45:30Z gw01.contoso.example proxy[811]: 192.0.2.77 -> 131.153.78.188:443 bytes=5120"
    whole = gzipped(("\n".join(lines) + "\n").encode())
    return whole[:len(whole) * 3 // 5]


# A browser's HTTP archive ---------------------------------------------------------------------------------------------


def token(key, tenant, issuer, version, issued):
    """An unsigned JSON Web Token."""
    part = lambda value: base64.urlsafe_b64encode(compact(value).encode()).decode().rstrip("=")
    header = {"typ": "JWT", "alg": "RS256", "kid": key}
    claims = {"aud": "https://outlook.office365.com", "iss": issuer, "iat": issued, "nbf": issued, "exp": issued + 3900,
              "appid": "aaaaaaaa-0000-4000-8000-000000000001", "tid": tenant, "upn": "user1@contoso.example",
              "ver": version}
    return f"{part(header)}.{part(claims)}.c3ludGhldGljLCB1bnNpZ25lZA"


def session():
    stolen, consumer = "1LTMzakihiRla_8z2BEJVXeWMqo", "9188040d-6c67-4c5b-b112-36a304b66dad"
    tenant = "11111111-2222-3333-4444-555555555555"

    def entry(second, url, authorization):
        return {"startedDateTime": f"2023-06-07T03:12:{second:02d}.000Z", "time": 31,
                "request": {"method": "GET", "url": url, "httpVersion": "HTTP/1.1",
                            "headers": [{"name": "Authorization", "value": f"Bearer {authorization}"}]},
                "response": {"status": 200, "headers": [], "content": {"size": 0, "mimeType": "application/json"}}}

    enterprise = f"https://sts.windows.net/{tenant}/"
    forged = token(stolen, tenant, enterprise, "1.0", 1686107564)
    near = token(stolen[:-1] + "p", tenant, enterprise, "1.0", 1686107564)
    old = token(stolen, consumer, f"https://login.microsoftonline.com/{consumer}/v2.0", "2.0", 1469765135)
    url = "https://mail.contoso.example/owa/service.svc?action=GetItem"
    entries = [entry(44, url, forged), entry(45, url, near), entry(46, url, old)]
    archive = {"log": {"version": "1.2", "creator": {"name": "synthetic", "version": "1"}, "entries": entries}}
    return (json.dumps(archive, indent=1) + "\n").encode()


FILES = {
    "gateway-cut.log.gz": cut_log,
    "mailbox.mbox": mailbox,
    "purview-audit.csv": purview,
    "session.har": session,
    "signins.jsonl.gz": sign_ins,
    "u_ex230607.log": owa_log,
}

if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    for name, content in FILES.items():
        (OUT / name).write_bytes(content())
