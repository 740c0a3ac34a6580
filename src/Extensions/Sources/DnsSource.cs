using System.Net;
using System.Net.Sockets;

namespace Weft.Extensions.Sources;

/// <summary>Addresses from the machine's resolver, asked again and again. The port is that of the request: the resolver does not tell SRV records.</summary>
/// <param name="suffix">Behind every name: `.service.consul`, `.shop.svc.cluster.local`; empty: names as they are.</param>
/// <param name="period">How often; null: every 5 s, the TTL of answers of the cluster's DNS.</param>
public sealed class DnsSource(TimeProvider time, Random random, string suffix = "", TimeSpan? period = null) : IEndpointSource
{
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(5);

    public string Name => $"DNS (names with '{suffix}')";

    public async Task FollowAsync(string service, Action<IReadOnlyList<ServiceEndpoint>> tell, CancellationToken cancellationToken)
    {
        for (var failures = 0; !cancellationToken.IsCancellationRequested;)
        {
            try
            {
                var host = service.EndsWith(suffix, StringComparison.OrdinalIgnoreCase) ? service : service + suffix;
                var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken);
                tell([.. addresses.Select(address => new ServiceEndpoint(address.ToString(), 0)).Distinct().Order(Comparer<ServiceEndpoint>.Create(static (a, b) => string.CompareOrdinal(a.Address, b.Address)))]);
                failures = 0;
                await Task.Delay(period ?? Usual, time, cancellationToken);
            }
            catch (SocketException no) when (no.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
            {
                tell([]);
                await Pause.AfterAsync(Math.Max(4, failures++), time, random, cancellationToken);
            }
            catch (SocketException)
            {
                await Pause.AfterAsync(failures++, time, random, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
