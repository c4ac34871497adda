//! The types of EC2 as modules return them.

use aws_sdk_ec2::types::{
    AttachmentStatus, HostnameType, InternetGateway, InternetGatewayAttachment, IpPermission, IpRange,
    Ipv6Range, PrefixListId, PrivateDnsNameOptionsOnLaunch, PropagatingVgw, Route, RouteOrigin, RouteState,
    RouteTable, RouteTableAssociation, RouteTableAssociationState, RouteTableAssociationStateCode,
    SecurityGroup, Subnet, SubnetCidrBlockState, SubnetCidrBlockStateCode, SubnetIpv6CidrBlockAssociation,
    SubnetState, Tenancy, UserIdGroupPair, Vpc, VpcCidrBlockAssociation, VpcCidrBlockState,
    VpcCidrBlockStateCode, VpcIpv6CidrBlockAssociation, VpcState,
};

use crate::json::to_json;

to_json! {
    enum Tenancy;

    struct Vpc {
        cidr_block, cidr_block_association_set, dhcp_options_id, instance_tenancy,
        ipv6_cidr_block_association_set, is_default, owner_id, state, vpc_id,
    }
    enum VpcState;
    struct VpcCidrBlockAssociation { association_id, cidr_block, cidr_block_state }
    struct VpcIpv6CidrBlockAssociation {
        association_id, ipv6_cidr_block, ipv6_cidr_block_state, ipv6_pool, network_border_group,
    }
    struct VpcCidrBlockState { state, status_message }
    enum VpcCidrBlockStateCode;

    struct Subnet {
        assign_ipv6_address_on_creation, availability_zone, availability_zone_id, available_ip_address_count,
        cidr_block, default_for_az, enable_dns64, ipv6_cidr_block_association_set, ipv6_native,
        map_customer_owned_ip_on_launch, map_public_ip_on_launch, owner_id, private_dns_name_options_on_launch,
        state, subnet_arn, subnet_id, vpc_id,
    }
    enum SubnetState;
    struct SubnetIpv6CidrBlockAssociation { association_id, ipv6_cidr_block, ipv6_cidr_block_state }
    struct SubnetCidrBlockState { state, status_message }
    enum SubnetCidrBlockStateCode;
    struct PrivateDnsNameOptionsOnLaunch {
        enable_resource_name_dns_a_record, enable_resource_name_dns_aaaa_record, hostname_type,
    }
    enum HostnameType;

    struct SecurityGroup {
        description, group_id, group_name, ip_permissions, ip_permissions_egress, owner_id, security_group_arn, vpc_id,
    }
    struct IpPermission {
        from_port, ip_protocol, ip_ranges, ipv6_ranges, prefix_list_ids, to_port, user_id_group_pairs,
    }
    struct IpRange { cidr_ip, description }
    struct Ipv6Range { cidr_ipv6, description }
    struct PrefixListId { description, prefix_list_id }
    struct UserIdGroupPair {
        description, group_id, group_name, peering_status, user_id, vpc_id, vpc_peering_connection_id,
    }

    struct InternetGateway { attachments, internet_gateway_id, owner_id }
    struct InternetGatewayAttachment { state, vpc_id }
    enum AttachmentStatus;

    struct RouteTable { associations, owner_id, propagating_vgws, route_table_id, routes, vpc_id }
    struct RouteTableAssociation {
        association_state, gateway_id, main, route_table_association_id, route_table_id, subnet_id,
    }
    struct RouteTableAssociationState { state, status_message }
    enum RouteTableAssociationStateCode;
    struct PropagatingVgw { gateway_id }
    struct Route {
        carrier_gateway_id, core_network_arn, destination_cidr_block, destination_ipv6_cidr_block,
        destination_prefix_list_id, egress_only_internet_gateway_id, gateway_id, instance_id, instance_owner_id,
        local_gateway_id, nat_gateway_id, network_interface_id, origin, state, transit_gateway_id,
        vpc_peering_connection_id,
    }
    enum RouteOrigin;
    enum RouteState;
}
