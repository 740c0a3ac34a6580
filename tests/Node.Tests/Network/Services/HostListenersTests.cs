using Weft.Node.Network.Services;

namespace Weft.Node.Tests.Network.Services;

public sealed class HostListenersTests
{
    private static readonly ServiceNetwork Network = new("c", "n1", "10.244.1.0/24", "10.244.0.0/16", "10.96.0.0/16");

    /// <summary>The front door's own listener would otherwise keep its port from all other addresses of the machine, as soon as somebody looks.</summary>
    [Fact]
    public void What_is_bound_to_an_address_of_the_cluster_takes_no_port_from_services()
    {
        string[] lines =
        [
            "  sl  local_address rem_address   st",
            "   0: 0101F40A:0050 00000000:0000 0A", // 10.244.1.1:80, the gateway
            "   1: 0A00600A:0035 00000000:0000 0A", // 10.96.0.10:53
            "   2: 00000000:1F90 00000000:0000 0A", // any address, 8080
            "   3: 0100007F:0BB8 00000000:0000 0A", // 127.0.0.1:3000
            "   4: 0100007F:0FA0 00000000:0000 01", // connected, not listening
        ];
        Assert.Equal([8080, 3000], HostListeners.Parse(lines, "0A", Network));
    }
}
