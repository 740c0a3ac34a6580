using System.Net;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;

namespace Weft.Host.Server;

/// <summary>
/// The Service `kube-dns`, by which tools find a cluster's DNS. It holds the address, so that no other service gets it; it has no endpoints, because every
/// node answers on the address itself.
/// </summary>
internal static class DnsService
{
    /// <returns>Why there is none; null when all is well.</returns>
    internal static async Task<string?> EnsureAsync(KubeClient client, IPAddress address, CancellationToken cancellationToken)
    {
        var service = new Service
        {
            Metadata = new()
            {
                Name = "kube-dns", Namespace = "kube-system",
                Labels = new Dictionary<string, string> { ["k8s-app"] = "kube-dns", ["kubernetes.io/cluster-service"] = "true", ["kubernetes.io/name"] = "KubeDNS" },
            },
            Spec = new()
            {
                ClusterIP = address.ToString(),
                ClusterIPs = [address.ToString()],
                Ports = [new() { Name = "dns", Port = 53, Protocol = "UDP" }, new() { Name = "dns-tcp", Port = 53, Protocol = "TCP" }],
            },
        };
        try
        {
            await client.For<Service>().CreateAsync("kube-system", service, cancellationToken);
            return null;
        }
        catch (ApiStatusException there) when (there.IsAlreadyExists)
        {
            return null;
        }
        catch (ApiStatusException taken) when (taken.IsInvalid)
        {
            return taken.Message;
        }
    }
}
