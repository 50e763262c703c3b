"""The optional network: what it makes for the functions takes nothing away from others in the VPC."""

from tests.conventions.cfn_yaml import load_as_written, resources_of_type

NETWORK = load_as_written("infrastructure/network.yaml")


def test_endpoints_whose_names_hold_in_the_whole_vpc_let_in_the_whole_vpc() -> None:
    endpoints = resources_of_type(NETWORK, "AWS::EC2::VPCEndpoint").values()
    private = [endpoint for endpoint in endpoints if endpoint.get("PrivateDnsEnabled")]
    group = resources_of_type(NETWORK, "AWS::EC2::SecurityGroup")["EndpointSecurityGroup"]
    let_in = [rule["CidrIp"] for rule in group["SecurityGroupIngress"] if "CidrIp" in rule and rule["FromPort"] == 443]
    assert len(private) == 2
    assert all(endpoint["SecurityGroupIds"] == [{"Ref": "EndpointSecurityGroup"}] for endpoint in private)
    assert let_in == [{"Ref": "VpcCidr"}]


def test_there_are_no_endpoints_without_the_addresses_of_the_vpc() -> None:
    rule = NETWORK["Rules"]["EndpointsAreWhole"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "CreateEndpoints"}, "true"]}
    assert {"Fn::Not": [{"Fn::Equals": [{"Ref": "VpcCidr"}, ""]}]} in [item["Assert"] for item in rule["Assertions"]]
