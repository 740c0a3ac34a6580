using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Dns.Names;
using Weft.Proxy.Dns.Server;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Tests.Dns;

/// <summary>Names below `consul`, from units alone.</summary>
public sealed class RegistryZoneTests
{
    private static readonly KeyValuePair<UnitKey, object?> Zone = Sample.Unit(UnitKind.Zone, "consul", new ZoneUnit { Servers = ["10.96.0.10"] });

    private static readonly KeyValuePair<UnitKey, object?> Web = Sample.Unit(UnitKind.Registered, "service/web", new RegisteredUnit
    {
        Places =
        [
            new() { Address = "10.9.0.1", Port = 80, Tags = ["v1"], Weight = 3 }, new() { Address = "10.9.0.1", Port = 81, Tags = ["v2"] }, new() { Address = "fd00::9", Port = 82, Node = "n1" },
            new() { Address = "not a name", Port = 1 },
        ],
    });

    [Fact]
    public void Without_the_zone_the_names_are_somebody_elses()
    {
        var table = new NameTableBuilder("cluster.local").Apply([.. Sample.Units(), Web]);
        var query = Ask.Query("web.service.consul", RecordType.A);
        Assert.Equal(Responder.Later, Sample.Responder(table).Respond(query, new byte[DnsLimits.MaxMessage], isTcp: false, 0));
    }

    [Theory]
    [InlineData("web.service.consul", RecordType.A, "web.service.consul 5 10.9.0.1")]
    [InlineData("web.service.dc1.consul", RecordType.AAAA, "web.service.dc1.consul 5 fd00::9")]
    [InlineData("v2.web.service.consul", RecordType.SRV, "v2.web.service.consul 5 SRV 1 81 0a090001.addr.consul")]
    [InlineData("_web._v1.service.consul", RecordType.SRV, "_web._v1.service.consul 5 SRV 3 80 0a090001.addr.consul")]
    [InlineData("fd000000000000000000000000000009.addr.consul", RecordType.AAAA, "fd000000000000000000000000000009.addr.consul 5 fd00::9")]
    [InlineData("consul", RecordType.NS, "consul 5 NS ns.dns.cluster.local")]
    public void Answers(string name, int type, string expected) => Assert.Equal([expected], Sample.Answer(name, (ushort)type, table: Table()).Answers);

    [Theory]
    [InlineData("web.consul")]
    [InlineData("service.web.consul")]
    [InlineData("none.service.consul")]
    [InlineData("v3.web.service.consul")]
    [InlineData("_web._v3.service.consul")]
    [InlineData("a.b.c.d.service.consul")]
    [InlineData("0a09000.addr.consul")]
    [InlineData("0a09000x.addr.consul")]
    [InlineData("n1.node.consul")]
    public void Denies(string name) => Assert.Equal(Rcode.NxDomain, (byte)Sample.Answer(name, RecordType.A, table: Table()).Rcode);

    [Fact]
    public void Who_asks_for_addresses_alone_gets_those_of_the_lowest_priority()
    {
        var table = new NameTableBuilder("cluster.local").Apply(
        [
            .. Sample.Units(), Zone,
            Sample.Unit(UnitKind.Registered, "service/levels", new RegisteredUnit { Places = [new() { Address = "10.9.0.1", Port = 80, Priority = 1 }, new() { Address = "10.9.0.2", Port = 80, Priority = 2 }] }),
        ]);
        Assert.Equal(["levels.service.consul 5 10.9.0.1"], Sample.Answer("levels.service.consul", RecordType.A, table: table).Answers);
        Assert.Equal(
            ["levels.service.consul 5 SRV p1 1 80 0a090001.addr.consul", "levels.service.consul 5 SRV p2 1 80 0a090002.addr.consul"],
            Sample.Answer("levels.service.consul", RecordType.SRV, table: table).Answers.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_name_goes_with_its_unit()
    {
        var builder = new NameTableBuilder("cluster.local");
        builder.Apply([.. Sample.Units(), Zone, Web]);
        var table = builder.Apply([Sample.Unit(UnitKind.Registered, "service/web", null)]);
        Assert.Equal(Rcode.NxDomain, (byte)Sample.Answer("web.service.consul", RecordType.A, table: table).Rcode);
    }

    private static NameTable Table() => new NameTableBuilder("cluster.local").Apply([.. Sample.Units(), Zone, Web]);
}
