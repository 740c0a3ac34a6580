using System.Collections.Frozen;
using System.Net;
using System.Net.NetworkInformation;

namespace Weft.Host.Proxy;

/// <summary>The addresses of this machine, or of its network namespace, as they were some seconds ago.</summary>
internal sealed class OwnAddresses : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    private readonly ITimer _timer;
    private FrozenSet<IPAddress> _known = FrozenSet<IPAddress>.Empty;

    public OwnAddresses(TimeProvider time)
    {
        Look();
        _timer = time.CreateTimer(_ => Look(), null, Period, Period);
    }

    public bool Contains(IPAddress address) => IPAddress.IsLoopback(address) || Volatile.Read(ref _known).Contains(address);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        try
        {
            var now = NetworkInterface.GetAllNetworkInterfaces().SelectMany(link => link.GetIPProperties().UnicastAddresses).Select(unicast => unicast.Address).ToFrozenSet();
            Volatile.Write(ref _known, now);
        }
        catch (NetworkInformationException)
        {
            // An interface that went meanwhile; the next look has all.
        }
    }
}
