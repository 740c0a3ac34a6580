using System.Text;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Config.Units;

namespace Weft.Proxy.Tests.Mesh;

/// <summary>Hosts that have no address but the one that the mesh has given them.</summary>
public sealed class AllocatedTests
{
    private const string Client = "127.1.0.1", First = "240.240.7.8", Second = "240.240.7.9";

    [Fact]
    public async Task Hosts_with_the_same_port_are_told_apart_where_no_name_is_said()
    {
        using var one = new Pod("one", "127.9.0.1", greeting: "hello ");
        using var two = new Pod("two", "127.9.0.2", greeting: "hello ");
        await using var bed = new MeshBed();
        bed.Apply([MeshBed.Workload("client", Client, more: unit => unit with { KnownHostsOnly = true }), .. Host("a.example", First, PortProtocol.Tcp, one), .. Host("b.example", Second, PortProtocol.Tcp, two)]);
        Assert.Contains("one", Speak(bed, First), StringComparison.Ordinal);
        Assert.Contains("two", Speak(bed, Second), StringComparison.Ordinal);

        // Whoever asked another server for the address is known by the name, as before.
        bed.Apply(Host("c.example", "240.240.7.10", PortProtocol.Http, one));
        Assert.NotNull(bed.Proxy.State.View.Named[5432].GetValueOrDefault("c.example"));
    }

    [Fact]
    public async Task A_port_that_the_host_has_not_and_an_address_that_is_nobodys_any_more_are_refused_at_once()
    {
        using var one = new Pod("one", "127.9.0.1");
        await using var bed = new MeshBed();
        bed.Apply([MeshBed.Workload("client", Client), .. Host("a.example", First, PortProtocol.Tcp, one)]);
        using var port = bed.Dial(Client, First, 80);
        MeshBed.AssertReset(port);
        bed.Remove(new UnitKey(UnitKind.Destination, "a.example"));
        using var host = bed.Dial(Client, First, 5432);
        MeshBed.AssertReset(host);
        Assert.Equal(2, bed.Proxy.Loops[0].Outbound.Refused);
    }

    private static string Speak(MeshBed bed, string address)
    {
        using var socket = bed.Dial(Client, address, 5432);
        var seen = "";
        var buffer = new byte[256];
        socket.Send("?"u8);
        while (!seen.Contains('?', StringComparison.Ordinal) && socket.Receive(buffer) is var got and > 0)
            seen += Encoding.ASCII.GetString(buffer, 0, got);
        return seen;
    }

    private static ConfigUnit[] Host(string name, string address, PortProtocol protocol, Pod pod)
    {
        var units = MeshBed.Host(name, address, 5432, protocol, new EndpointConfig { Address = pod.Address, Port = pod.Port });
        var unit = (DestinationUnit)UnitCodec.Read(units[0]);
        units[0] = UnitCodec.Destination(name, unit with { Addresses = [], Answer = new() { Addresses = [address], Allocated = true } });
        return units;
    }
}
