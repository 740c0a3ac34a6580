using Weft.Api.Core;
using Weft.Api.Networking;

namespace Weft.Control.FrontDoor;

/// <summary>Where an Ingress is reached: at the addresses of the front door's Service. Pure.</summary>
internal static class IngressStatusPlanner
{
    public static IReadOnlyList<IngressLoadBalancerIngress> AddressesOf(Service service)
        => [.. (service.Status.LoadBalancer?.Ingress ?? []).Select(address => new IngressLoadBalancerIngress { Ip = address.Ip, Hostname = address.Hostname })];

    /// <param name="addresses">Of the front door.</param>
    /// <param name="isServed">By the front door; what others serve has a status of theirs, unless it is still the front door's.</param>
    public static IngressStatus Plan(IngressStatus status, IReadOnlyList<IngressLoadBalancerIngress> addresses, bool isServed)
    {
        var isDoors = addresses.Count > 0 && (status.LoadBalancer?.Ingress ?? []).SequenceEqual(addresses);
        if (!isServed && !isDoors)
            return status;
        return isServed && isDoors ? status : status with { LoadBalancer = new() { Ingress = isServed ? addresses : [] } };
    }
}
