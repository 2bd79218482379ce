# Speaks to the EC2 API at $ENDPOINT with boto3 and fails at the first answer
# that boto3 does not understand as AWS' own.
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ec2 = boto3.client(
    "ec2", region_name="eu-central-1", endpoint_url=os.environ["ENDPOINT"],
    aws_access_key_id="AKIDBOTO", aws_secret_access_key="secret",
    config=Config(retries={"max_attempts": 1}),
)
a1, b1, mac = os.environ["ENI_A1"], os.environ["ENI_B1"], os.environ["MAC_A1"]


def refused(code, call, **params):
    try:
        call(**params)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, e
        assert e.response["ResponseMetadata"]["HTTPStatusCode"] >= 400, e
        return e.response["Error"]["Message"]
    raise AssertionError("not refused with " + code)


def secondary(eni):
    e = ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]
    return [p["PrivateIpAddress"] for p in e["PrivateIpAddresses"] if not p["Primary"]]


# Describe: filters, an empty answer, pagination.
found = ec2.describe_network_interfaces(Filters=[{"Name": "mac-address", "Values": [mac]}])["NetworkInterfaces"]
assert [e["NetworkInterfaceId"] for e in found] == [a1], found
assert found[0]["Attachment"]["DeviceIndex"] == 1, found
assert {t["Key"]: t["Value"] for t in found[0]["TagSet"]}["Name"] == "<a> & b", found
assert found[0]["Ipv4Prefixes"] == [{"Ipv4Prefix": "10.0.1.32/28"}], found
none = ec2.describe_network_interfaces(Filters=[{"Name": "mac-address", "Values": ["x"]}])
assert none["NetworkInterfaces"] == [], none
pages = list(ec2.get_paginator("describe_network_interfaces").paginate(PaginationConfig={"PageSize": 5}))
assert [len(p["NetworkInterfaces"]) for p in pages] == [5, 1], pages

# Assign, move and unassign IPv4.
out = ec2.assign_private_ip_addresses(NetworkInterfaceId=a1, PrivateIpAddresses=["10.0.1.60"])
assert out["AssignedPrivateIpAddresses"] == [{"PrivateIpAddress": "10.0.1.60"}], out
text = refused("InvalidParameterValue", ec2.assign_private_ip_addresses, NetworkInterfaceId=a1, PrivateIpAddresses=["10.0.1.50"])
assert text == "[10.0.1.50] assigned, but move is not allowed.", text
ec2.assign_private_ip_addresses(NetworkInterfaceId=a1, PrivateIpAddresses=["10.0.1.50"], AllowReassignment=True)
assert secondary(a1) == ["10.0.1.60", "10.0.1.50"] and secondary(b1) == []
ec2.unassign_private_ip_addresses(NetworkInterfaceId=a1, PrivateIpAddresses=["10.0.1.60"])
refused("InvalidParameterValue", ec2.unassign_private_ip_addresses, NetworkInterfaceId=a1, PrivateIpAddresses=["10.0.1.60"])
refused("InvalidNetworkInterfaceID.NotFound", ec2.assign_private_ip_addresses, NetworkInterfaceId="eni-0", PrivateIpAddresses=["10.0.1.60"])

# Assign and unassign IPv6.
v6 = "2600:1f14:1:201::100"
assert ec2.assign_ipv6_addresses(NetworkInterfaceId=a1, Ipv6Addresses=[v6])["AssignedIpv6Addresses"] == [v6]
refused("InvalidParameterValue", ec2.assign_ipv6_addresses, NetworkInterfaceId=b1, Ipv6Addresses=[v6])
owner = ec2.describe_network_interfaces(Filters=[{"Name": "ipv6-addresses.ipv6-address", "Values": [v6]}])["NetworkInterfaces"]
assert [e["NetworkInterfaceId"] for e in owner] == [a1], owner
assert ec2.unassign_ipv6_addresses(NetworkInterfaceId=a1, Ipv6Addresses=[v6])["UnassignedIpv6Addresses"] == [v6]

# The rest that clients use.
assert ec2.describe_instance_types(InstanceTypes=["m5.large"])["InstanceTypes"][0]["NetworkInfo"]["Ipv4AddressesPerInterface"] == 10
assert ec2.describe_subnets()["Subnets"][0]["CidrBlock"] == "10.0.1.0/24"
ec2.create_tags(Resources=[b1], Tags=[{"Key": "k", "Value": "v"}])
refused("DryRunOperation", ec2.describe_subnets, DryRun=True)
print("ok")
