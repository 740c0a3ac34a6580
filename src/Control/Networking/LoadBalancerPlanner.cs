using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Weft.Api.Core;

namespace Weft.Control.Networking;

/// <param name="Address">The service's address; null: it has none.</param>
/// <param name="Problem">Why it has none, or not the one it asks for; for an Event.</param>
internal sealed record LoadBalancerPlan(string? Address, string? Problem);

/// <summary>The address of a LoadBalancer service, from a pool that every node has on its own machine. Pure.</summary>
internal static class LoadBalancerPlanner
{
    /// <summary>The class that a service may name; one with another is somebody else's.</summary>
    public const string Class = "weft.dev/node";

    /// <summary>Whether this balancer is the service's.</summary>
    public static bool Serves(Service service) => service.Spec.Type == "LoadBalancer" && service.Spec.LoadBalancerClass is null or "" or Class;

    /// <param name="taken">Addresses of other services.</param>
    public static LoadBalancerPlan Plan(Service service, IPNetwork pool, IReadOnlySet<string> taken)
    {
        var current = service.Status.LoadBalancer?.Ingress.Select(entry => entry.Ip).FirstOrDefault(address => IsOf(pool, address) && !taken.Contains(address!));
        if (service.Spec.LoadBalancerIP is not { Length: > 0 } asked)
            return new LoadBalancerPlan(current ?? Free(pool, taken), current is null && Free(pool, taken) is null ? $"every address of {pool} is in use" : null);
        if (!IsOf(pool, asked))
            return new LoadBalancerPlan(current ?? Free(pool, taken), $"spec.loadBalancerIP {asked} is not one of this cluster's ({pool}); the service has another");
        return taken.Contains(asked)
            ? new LoadBalancerPlan(current ?? Free(pool, taken), $"spec.loadBalancerIP {asked} is another service's; the service has another")
            : new LoadBalancerPlan(IPAddress.Parse(asked).ToString(), null);
    }

    // Neither the network's own address nor the last one, which some take for a broadcast.
    private static string? Free(IPNetwork pool, IReadOnlySet<string> taken)
    {
        var first = Number(pool.BaseAddress);
        var size = 1u << (32 - pool.PrefixLength);
        for (var i = 1u; i < size - 1; i++)
        {
            if (Text(first + i) is var address && !taken.Contains(address))
                return address;
        }
        return null;
    }

    private static bool IsOf(IPNetwork pool, string? text) =>
        IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetwork && pool.Contains(address) && !address.Equals(pool.BaseAddress);

    private static uint Number(IPAddress address) => BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());

    private static string Text(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes).ToString();
    }
}
