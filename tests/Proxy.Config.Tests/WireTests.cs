using System.Text;
using Weft.Proxy.Config.Units;
using Weft.Proxy.Config.Wire;
using Weft.Testing;

namespace Weft.Proxy.Config.Tests;

public sealed class WireTests
{
    private static readonly ConfigUnit Web = UnitCodec.Service("shop", "web", new ServiceUnit { Addresses = ["10.96.1.2"], Ports = [new("http", "tcp", 80)] });
    private static readonly ConfigUnit Slice = UnitCodec.Endpoints("shop", "web-1", new EndpointsUnit
    {
        Service = "web", Ports = [new("http", "tcp", 8080)], Endpoints = [new() { Addresses = ["10.244.0.7"], Hostname = "web-0", Ready = true }, new() { Addresses = ["10.244.0.8"] }],
    });

    // These texts are what proxies of other versions read: a change of them needs a new wire version.
    [Fact]
    public void Units_have_this_form()
    {
        Assert.Equal("""{"addresses":["10.96.1.2"],"ports":[{"name":"http","protocol":"tcp","port":80}]}""", Text(Web));
        Assert.Equal(
            """{"service":"web","ports":[{"name":"http","protocol":"tcp","port":8080}],"endpoints":[{"addresses":["10.244.0.7"],"hostname":"web-0","ready":true},{"addresses":["10.244.0.8"]}]}""",
            Text(Slice));
        Assert.Equal("""{"addresses":[],"headless":true,"ports":[]}""", Text(UnitCodec.Service("shop", "db", new ServiceUnit { Headless = true })));
        Assert.Equal("""{"addresses":[],"externalName":"example.com","ports":[]}""", Text(UnitCodec.Service("shop", "out", new ServiceUnit { ExternalName = "example.com" })));
        Assert.Equal("""{"addresses":["10.244.0.7"],"hostNetwork":true}""", Text(UnitCodec.Pod("shop", "web-0", new PodUnit { Addresses = ["10.244.0.7"], HostNetwork = true })));
        Assert.Equal("""{"servers":["10.96.0.10"],"reverse":["10.96.0.0/16"]}""", Text(UnitCodec.Zone("cluster.local", new ZoneUnit { Servers = ["10.96.0.10"], Reverse = ["10.96.0.0/16"] })));
    }

    [Fact]
    public void A_delta_has_this_form()
    {
        var unit = ConfigUnit.Create(new(UnitKind.Pod, "a/b"), "{}"u8.ToArray());
        Assert.Equal(
            "02" + "0000000000000009" + "0000000000000002" + "01"
            + "00000001" + "04" + "0003" + "612F62" + "44136FA355B3678A1146AD16F7E8649E" + "00000002" + "7B7D"
            + "00000001" + "02" + "0001" + "63",
            Convert.ToHexString(WireCodec.Write(new Delta(9, 2, [unit], [new(UnitKind.Service, "c")], More: true))));
    }

    [Fact]
    public void Messages_come_back_as_they_were()
    {
        var hello = (Hello)WireCodec.Read(WireCodec.Write(new Hello(1, 77, [new(Web.Key, Web.Hash), new(Slice.Key, Slice.Hash)], true)));
        Assert.Equal((1, 77UL, true), (hello.WireVersion, hello.Epoch, hello.More));
        Assert.Equal([new UnitState(Web.Key, Web.Hash), new UnitState(Slice.Key, Slice.Hash)], hello.Units);

        var delta = (Delta)WireCodec.Read(WireCodec.Write(new Delta(77, 5, [Web, Slice], [new(UnitKind.Pod, "shop/x")], false)));
        Assert.Equal([Web, Slice], delta.Upserts);
        Assert.Equal(Text(Slice), Text(delta.Upserts[1]));
        Assert.Equal([new UnitKey(UnitKind.Pod, "shop/x")], delta.Removes);

        var ack = (Ack)WireCodec.Read(WireCodec.Write(new Ack(5, [new(Web.Key, "$.ports", "not this")])));
        Assert.Equal([new Rejection(Web.Key, "$.ports", "not this")], ack.Rejected);

        var draining = (Draining)WireCodec.Read(WireCodec.Write(new Draining(["10.244.0.7", "fd00::7"])));
        Assert.Equal(["10.244.0.7", "fd00::7"], draining.Addresses);
    }

    [Fact]
    public void What_drains_has_this_form_and_a_limit()
    {
        Assert.Equal("04" + "00000001" + "000A" + "31302E3234342E302E37", Convert.ToHexString(WireCodec.Write(new Draining(["10.244.0.7"]))));
        var most = Enumerable.Repeat("10.244.0.7", WireLimits.MaxDraining);
        Assert.Equal(WireLimits.MaxDraining, ((Draining)WireCodec.Read(WireCodec.Write(new Draining([.. most])))).Addresses.Length);
        Assert.Throws<WireException>(() => WireCodec.Read(WireCodec.Write(new Draining([.. most, "10.244.0.8"]))));
        Assert.Throws<WireException>(() => WireCodec.Read(WireCodec.Write(new Draining([new string('1', WireLimits.MaxAddressBytes + 1)]))));
    }

    [Fact]
    public void A_long_error_is_cut_and_still_a_message()
    {
        var ack = (Ack)WireCodec.Read(WireCodec.Write(new Ack(1, [new(Web.Key, "", new string('ü', 5000))])));
        Assert.Equal(WireLimits.MaxTextBytes / 4, ack.Rejected[0].Error.Length);
    }

    [Fact]
    public void Content_that_does_not_fit_its_hash_is_refused()
    {
        var bytes = WireCodec.Write(new Delta(1, 1, [Web], [], false));
        bytes[^8] ^= 1;
        Assert.Contains("hash", Assert.Throws<WireException>(() => WireCodec.Read(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_count_beyond_the_message_takes_no_memory()
    {
        var hello = WireCodec.Write(new Hello(1, 0, [], false));
        hello.AsSpan(^4).Fill(0xFF);
        Assert.Throws<WireException>(() => WireCodec.Read(hello));
    }

    [Fact]
    public void A_larger_unit_than_allowed_is_refused()
    {
        var large = ConfigUnit.Create(new(UnitKind.Pod, "a/b"), new byte[WireLimits.MaxUnitBytes + 1]);
        Assert.Throws<WireException>(() => WireCodec.Read(WireCodec.Write(new Delta(1, 1, [large], [], false))));
    }

    [Fact]
    public void Mutated_messages_are_read_or_refused()
    {
        var random = Seeded.Random(1);
        byte[][] seeds =
        [
            WireCodec.Write(new Hello(1, 77, [new(Web.Key, Web.Hash), new(Slice.Key, Slice.Hash)], true)), WireCodec.Write(new Delta(77, 5, [Web, Slice], [new(UnitKind.Pod, "shop/x")], false)),
            WireCodec.Write(new Ack(5, [new(Web.Key, "$.ports", "not this")])),
        ];
        for (var i = 0; i < 100_000; i++)
        {
            var bytes = seeds[random.Next(seeds.Length)].ToArray();
            for (var mutations = random.Next(1, 5); mutations > 0; mutations--)
                bytes[random.Next(Math.Min(bytes.Length, 64))] = (byte)random.Next(256);
            try
            {
                WireCodec.Read(bytes.AsSpan(0, random.Next(bytes.Length + 1)));
            }
            catch (WireException)
            {
                // Refused, with a sentence: what is wanted.
            }
        }
    }

    [Theory]
    [InlineData("""{"addresses":null}""")]
    [InlineData("""{"ports":[{"name":"x"}""")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("")]
    public void A_unit_that_cannot_be_read_says_so(string json) =>
        Assert.Throws<UnitException>(() => UnitCodec.Read(ConfigUnit.Create(new(UnitKind.Service, "a/b"), Encoding.UTF8.GetBytes(json))));

    [Fact]
    public void A_unit_of_a_newer_server_is_read_as_far_as_it_is_known()
    {
        var read = (ServiceUnit)UnitCodec.Read(ConfigUnit.Create(new(UnitKind.Service, "a/b"), """{"addresses":["10.96.0.9"],"colour":{"red":1}}"""u8.ToArray()));
        Assert.Equal(["10.96.0.9"], read.Addresses);
        Assert.Throws<UnitException>(() => UnitCodec.Read(ConfigUnit.Create(new((UnitKind)200, "a/b"), "{}"u8.ToArray())));
    }

    private static string Text(ConfigUnit unit) => Encoding.UTF8.GetString(unit.Bytes.Span);
}
