using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;
using Weft.Proxy.Tests.Support;
using Weft.Proxy.Upstream.Clusters;
using Weft.Testing;

namespace Weft.Proxy.Tests.Upstream.Discovery;

public sealed class NamedEndpointsTests : IDisposable
{
    private readonly NameServer _server = new();
    private readonly LogLines _log = new();

    public void Dispose()
    {
        _server.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task A_name_is_asked_for_again_whatever_its_answer_brings_about()
    {
        _server.Addresses("shop.example", 60, "10.0.0.1");
        var (time, taken) = (new ManualTime(), 0);
        await using var named = new NamedEndpoints(new DnsDiscovery("shop.example", 80) { Servers = [_server.Address] }, "c", new ProxyClock(time), _log, _ =>
        {
            if (Interlocked.Increment(ref taken) < 3)
                throw new InvalidOperationException("a defect");
        });
        await named.StartAsync(waits: true);
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(5));
            return Volatile.Read(ref taken) >= 4;
        });
        Assert.Equal(2, _log.Text.Count(line => line.Contains("has a defect", StringComparison.Ordinal)));
    }
}
