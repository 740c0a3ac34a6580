using Weft.Proxy.Config;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Dns.Names;
using Weft.Proxy.Dns.Wire;

namespace Weft.Proxy.Tests.Dns;

public sealed class ClusterZoneTests
{
    [Theory]
    [InlineData("web.shop.svc.cluster.local", RecordType.A, "web.shop.svc.cluster.local 5 10.96.1.2")]
    [InlineData("web.shop.svc.cluster.local", RecordType.AAAA, "web.shop.svc.cluster.local 5 fd00::2")]
    [InlineData("kubernetes.default.svc.cluster.local", RecordType.A, "kubernetes.default.svc.cluster.local 5 10.96.0.1")]
    [InlineData("_http._tcp.web.shop.svc.cluster.local", RecordType.SRV, "_http._tcp.web.shop.svc.cluster.local 5 SRV 100 80 web.shop.svc.cluster.local")]
    [InlineData("_dns._udp.web.shop.svc.cluster.local", RecordType.SRV, "_dns._udp.web.shop.svc.cluster.local 5 SRV 100 53 web.shop.svc.cluster.local")]
    [InlineData("db-0.db.shop.svc.cluster.local", RecordType.A, "db-0.db.shop.svc.cluster.local 5 10.244.0.7")]
    [InlineData("10-244-0-8.db.shop.svc.cluster.local", RecordType.A, "10-244-0-8.db.shop.svc.cluster.local 5 10.244.0.8")]
    [InlineData("10-244-0-20.shop.pod.cluster.local", RecordType.A, "10-244-0-20.shop.pod.cluster.local 5 10.244.0.20")]
    [InlineData("fd00--20.shop.pod.cluster.local", RecordType.AAAA, "fd00--20.shop.pod.cluster.local 5 fd00::20")]
    [InlineData("2.1.96.10.in-addr.arpa", RecordType.PTR, "2.1.96.10.in-addr.arpa 5 PTR web.shop.svc.cluster.local")]
    [InlineData("7.0.244.10.in-addr.arpa", RecordType.PTR, "7.0.244.10.in-addr.arpa 5 PTR db-0.db.shop.svc.cluster.local")]
    [InlineData("20.0.244.10.in-addr.arpa", RecordType.PTR, "20.0.244.10.in-addr.arpa 5 PTR 10-244-0-20.shop.pod.cluster.local")]
    [InlineData("2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", RecordType.PTR, "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa 5 PTR web.shop.svc.cluster.local")]
    [InlineData("cluster.local", RecordType.SOA, "cluster.local 5 SOA ns.dns.cluster.local")]
    [InlineData("cluster.local", RecordType.NS, "cluster.local 5 NS ns.dns.cluster.local")]
    [InlineData("ns.dns.cluster.local", RecordType.A, "ns.dns.cluster.local 5 10.96.0.10")]
    [InlineData("dns-version.cluster.local", RecordType.TXT, "dns-version.cluster.local 5 16 05312E312E30")]
    [InlineData("web.shop.svc.cluster.local", RecordType.Any, "web.shop.svc.cluster.local 5 13 075246433834383200")]
    [InlineData("out.shop.svc.cluster.local", RecordType.CNAME, "out.shop.svc.cluster.local 5 CNAME example.com")]
    public void Answers(string name, int type, string expected)
    {
        var reply = Sample.Answer(name, (ushort)type);
        Assert.Equal((Rcode.NoError, true), ((byte)reply.Rcode, reply.Authoritative));
        Assert.Equal([expected], reply.Answers);
    }

    [Theory]
    [InlineData("web.shop.svc.linkerd.local", RecordType.A, "web.shop.svc.linkerd.local 5 10.96.1.2")]
    [InlineData("db-0.db.shop.svc.linkerd.local", RecordType.A, "db-0.db.shop.svc.linkerd.local 5 10.244.0.7")]
    [InlineData("_http._tcp.web.shop.svc.linkerd.local", RecordType.SRV, "_http._tcp.web.shop.svc.linkerd.local 5 SRV 100 80 web.shop.svc.cluster.local")]
    [InlineData("linkerd.local", RecordType.SOA, "linkerd.local 5 SOA ns.dns.linkerd.local")]
    [InlineData("linkerd.local", RecordType.NS, "linkerd.local 5 NS ns.dns.linkerd.local")]
    [InlineData("ns.dns.linkerd.local", RecordType.A, "ns.dns.linkerd.local 5 10.96.0.10")]
    [InlineData("web.shop.svc.cluster.local", RecordType.A, "web.shop.svc.cluster.local 5 10.96.1.2")]
    [InlineData("2.1.96.10.in-addr.arpa", RecordType.PTR, "2.1.96.10.in-addr.arpa 5 PTR web.shop.svc.cluster.local")]
    public void A_further_zone_has_the_same_names(string name, int type, string expected) =>
        Assert.Equal([expected], Sample.Answer(name, (ushort)type, table: WithZone("linkerd.local")).Answers);

    [Fact]
    public void A_name_that_is_not_in_a_further_zone_is_denied_by_that_zone()
    {
        var reply = Sample.Answer("nope.shop.svc.linkerd.local", RecordType.A, table: WithZone("linkerd.local"));
        Assert.Equal((Rcode.NxDomain, true), ((byte)reply.Rcode, reply.Authoritative));
        Assert.Equal(["linkerd.local 5 SOA ns.dns.linkerd.local"], reply.Authorities);
    }

    [Fact]
    public void A_further_zone_goes_with_its_unit()
    {
        var builder = new NameTableBuilder("cluster.local");
        builder.Apply(Sample.Units());
        Assert.Equal(["linkerd.local"], builder.Apply([Sample.Unit(UnitKind.Zone, "linkerd.local", new ZoneUnit())]).Zones);
        Assert.Empty(builder.Apply([Sample.Unit(UnitKind.Zone, "linkerd.local", null)]).Zones);
    }

    private static NameTable WithZone(string zone)
    {
        var builder = new NameTableBuilder("cluster.local");
        return builder.Apply([.. Sample.Units(), Sample.Unit(UnitKind.Zone, zone, new ZoneUnit())]);
    }

    [Fact]
    public void A_headless_service_answers_with_its_ready_endpoints() => Assert.Equal(
        ["db.shop.svc.cluster.local 5 10.244.0.7", "db.shop.svc.cluster.local 5 10.244.0.8"], Sample.Answer("db.shop.svc.cluster.local", RecordType.A).Answers.Order());

    [Fact]
    public void The_port_of_a_headless_service_is_at_each_endpoint_and_their_addresses_come_with_it()
    {
        var reply = Sample.Answer("_sql._tcp.db.shop.svc.cluster.local", RecordType.SRV);
        Assert.Equal(
            ["_sql._tcp.db.shop.svc.cluster.local 5 SRV 50 5432 10-244-0-8.db.shop.svc.cluster.local", "_sql._tcp.db.shop.svc.cluster.local 5 SRV 50 5432 db-0.db.shop.svc.cluster.local"],
            reply.Answers.Order(StringComparer.Ordinal));
        Assert.Equal(["10-244-0-8.db.shop.svc.cluster.local 5 10.244.0.8", "db-0.db.shop.svc.cluster.local 5 10.244.0.7"], reply.Additionals.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("kubernetes.default.svc.cluster.local", RecordType.AAAA)]
    [InlineData("web.shop.svc.cluster.local", RecordType.TXT)]
    [InlineData("empty.shop.svc.cluster.local", RecordType.A)]
    [InlineData("_tcp.web.shop.svc.cluster.local", RecordType.A)]
    [InlineData("_http._tcp.web.shop.svc.cluster.local", RecordType.A)]
    [InlineData("shop.svc.cluster.local", RecordType.A)]
    [InlineData("shop.pod.cluster.local", RecordType.A)]
    [InlineData("svc.cluster.local", RecordType.A)]
    [InlineData("cluster.local", RecordType.A)]
    public void A_name_that_exists_has_no_data_of_another_type(string name, int type)
    {
        var reply = Sample.Answer(name, (ushort)type);
        Assert.Equal((Rcode.NoError, true), ((byte)reply.Rcode, reply.Authoritative));
        Assert.Empty(reply.Answers);
        Assert.Equal(["cluster.local 5 SOA ns.dns.cluster.local"], reply.Authorities);
    }

    [Theory]
    [InlineData("nope.shop.svc.cluster.local")]
    [InlineData("web.nope.svc.cluster.local")]
    [InlineData("nope.svc.cluster.local")]
    [InlineData("db-2.db.shop.svc.cluster.local")] // not ready
    [InlineData("x.web.shop.svc.cluster.local")]
    [InlineData("_https._tcp.web.shop.svc.cluster.local")]
    [InlineData("a.b.c.db-0.db.shop.svc.cluster.local")]
    [InlineData("10-244-0-99.shop.pod.cluster.local")]
    [InlineData("10-244-0-20.other.pod.cluster.local")]
    [InlineData("example.com.cluster.local")]
    [InlineData("example.com.svc.cluster.local")]
    [InlineData("example.com.shop.svc.cluster.local")]
    [InlineData("99.1.96.10.in-addr.arpa")]
    public void A_name_that_does_not_exist_is_said_at_once_and_for_how_long(string name)
    {
        var reply = Sample.Answer(name, RecordType.A);
        Assert.Equal((Rcode.NxDomain, true), ((byte)reply.Rcode, reply.Authoritative));
        Assert.Contains("5 SOA ns.dns.cluster.local", Assert.Single(reply.Authorities), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("example.com")]
    [InlineData("xcluster.local")]
    [InlineData("1.1.168.192.in-addr.arpa")]
    [InlineData("x.in-addr.arpa")]
    public void Other_names_are_asked_elsewhere(string name) =>
        Assert.Equal(Weft.Proxy.Dns.Server.Responder.Later, Sample.Responder(Sample.Table()).Respond(Ask.Query(name, RecordType.A), new byte[1232], false, 0));

    [Fact]
    public async Task An_alias_into_the_cluster_comes_with_the_addresses_it_leads_to()
    {
        var reply = await Sample.AnswerLaterAsync("same.shop.svc.cluster.local", RecordType.A);
        Assert.Equal(["same.shop.svc.cluster.local 5 CNAME web.shop.svc.cluster.local", "web.shop.svc.cluster.local 5 10.96.1.2"], reply.Answers);
    }

    [Fact]
    public async Task Aliases_in_a_circle_end() => Assert.Equal(Rcode.ServFail, (await Sample.AnswerLaterAsync("circle.shop.svc.cluster.local", RecordType.A)).Rcode);

    [Fact]
    public void Before_the_first_configuration_nothing_is_said_to_be_absent() =>
        Assert.Equal(Rcode.ServFail, Sample.Answer("web.shop.svc.cluster.local", RecordType.A, table: new NameTableBuilder("cluster.local").Current).Rcode);

    [Fact]
    public void A_service_that_goes_takes_its_names_with_it_and_leaves_the_pods()
    {
        var builder = new NameTableBuilder("cluster.local");
        builder.Apply(Sample.Units());
        var table = builder.Apply([Sample.Unit(UnitKind.Service, "shop/db", null)]);

        Assert.Equal(Rcode.NxDomain, Sample.Answer("db.shop.svc.cluster.local", RecordType.A, table: table).Rcode);
        Assert.Equal(["7.0.244.10.in-addr.arpa 5 PTR 10-244-0-7.shop.pod.cluster.local"], Sample.Answer("7.0.244.10.in-addr.arpa", RecordType.PTR, table: table).Answers);

        table = builder.Apply(Sample.Units().Where(unit => unit.Key.Name == "shop/db"));
        Assert.Equal(2, Sample.Answer("db.shop.svc.cluster.local", RecordType.A, table: table).Answers.Count);
    }

    [Fact]
    public void The_last_name_of_a_namespace_takes_the_namespace_with_it()
    {
        var builder = new NameTableBuilder("cluster.local");
        builder.Apply(Sample.Units());
        var table = builder.Apply([Sample.Unit(UnitKind.Service, "default/kubernetes", null)]);
        Assert.Equal(Rcode.NxDomain, Sample.Answer("default.svc.cluster.local", RecordType.A, table: table).Rcode);
    }

    [Fact]
    public void A_long_answer_is_cut_over_udp_and_whole_over_tcp()
    {
        var builder = new NameTableBuilder("cluster.local");
        builder.Apply(Sample.Units());
        var table = builder.Apply(
        [
            Sample.Unit(UnitKind.Endpoints, "shop/db-1", new EndpointsUnit
            {
                Service = "db", Endpoints = [.. Enumerable.Range(0, 1000).Select(i => new UnitEndpoint { Addresses = [$"10.244.{i / 250}.{i % 250}"], Ready = true })],
            }),
        ]);
        Assert.True(Sample.Answer("db.shop.svc.cluster.local", RecordType.A, table: table).Truncated);
        var whole = Sample.Answer("db.shop.svc.cluster.local", RecordType.A, isTcp: true, table: table);
        Assert.False(whole.Truncated);
        Assert.Equal(1000, whole.Answers.Distinct().Count());
    }

    [Fact]
    public void Lists_begin_elsewhere_with_each_question()
    {
        var responder = Sample.Responder(Sample.Table());
        var to = new byte[1232];
        var firsts = Enumerable.Range(0, 4)
            .Select(turn => Ask.Read(to.AsSpan(0, responder.Respond(Ask.Query("db.shop.svc.cluster.local", RecordType.A), to, false, (uint)turn))).Answers[0]).ToList();
        Assert.Equal(2, firsts.Distinct().Count());
        Assert.Equal(firsts[0], firsts[2]);
    }

    [Fact]
    public void Any_order_of_changes_gives_the_same_names()
    {
        var random = Testing.Seeded.Random(4);
        var units = Sample.Units().ToArray();
        for (var round = 0; round < 50; round++)
        {
            var builder = new NameTableBuilder("cluster.local");
            random.Shuffle(units);
            foreach (var unit in units)
                builder.Apply([unit]);
            foreach (var unit in units.Take(4))
                builder.Apply([new(unit.Key, null)]);
            var table = builder.Apply(units.Take(4));
            Assert.Equal(2, Sample.Answer("db.shop.svc.cluster.local", RecordType.A, table: table).Answers.Count);
            Assert.Equal(["7.0.244.10.in-addr.arpa 5 PTR db-0.db.shop.svc.cluster.local"], Sample.Answer("7.0.244.10.in-addr.arpa", RecordType.PTR, table: table).Answers);
            Assert.Equal((3, 7), (table.Namespaces.Count, table.Services.Count));
        }
    }
}
