using Weft.Api;
using Weft.Api.Istio;
using Weft.Control.Mesh;
using Weft.Control.Mesh.Addresses;
using Weft.Control.Mesh.Feed;
using Weft.Control.Mesh.Inputs;

namespace Weft.Control.Tests.Mesh;

public sealed class HostAddressesTests
{
    [Fact]
    public void Each_host_has_one_of_the_range_and_keeps_it_when_others_come_and_go()
    {
        var entries = Enumerable.Range(0, 300).Select(i => Entry($"e{i:000}", $"h{i}.example")).ToList();
        var first = Plan(entries, "cluster.local", HostAddresses.None);
        Assert.Empty(first.Held);
        Assert.Equal(300, first.Wanted.Values.SelectMany(given => given).Select(given => given.Value).Distinct().Count());
        Assert.All(first.Wanted.Values.SelectMany(given => given), given => Assert.StartsWith("240.240.", given.Value, StringComparison.Ordinal));

        // What is written holds; and what would be given anew is what was given before.
        var written = entries.Select(entry => Written(entry, first)).ToList();
        var others = Enumerable.Range(0, 300).Select(i => Entry($"a{i:000}", $"before{i}.example")).ToList();
        var second = Plan([.. others, .. written.Skip(100)], "cluster.local", HostAddresses.None);
        Assert.Equal(200, second.Held.Count);
        Assert.All(written.Skip(100), entry => Assert.Equal(first.Wanted[MeshIndex.Name(entry)], second.Wanted[MeshIndex.Name(entry)]));
        Assert.Equal(500, second.Wanted.Values.SelectMany(given => given).Select(given => given.Value).Distinct().Count());
        Assert.Equal(first.Wanted["shop/e000"], Plan([Entry("e000", "h0.example")], "cluster.local", HostAddresses.None).Wanted["shop/e000"]);
    }

    /// <summary>Whoever may write statuses may write another's address into their own entry's, however old that is.</summary>
    [Fact]
    public void Who_holds_an_address_keeps_it_though_an_older_entry_claims_it()
    {
        var (robber, owner) = (Entry("old", "a.example"), Entry("new", "b.example", "240.240.1.1"));
        var first = Plan([robber, owner], "cluster.local", HostAddresses.None);
        Assert.Equal("240.240.1.1", first.Held["shop/new b.example"]);

        ServiceEntry[] robbed = [Entry("old", "a.example", "240.240.1.1"), owner];
        var second = Plan(robbed, "cluster.local", first);
        Assert.Equal(first.Held, second.Held);
        Assert.NotEqual("240.240.1.1", Assert.Single(second.Wanted["shop/old"]).Value);
        Assert.Equal(second.Held, Plan(robbed, "cluster.local", second).Held);

        // The owner is gone: the address is anybody's.
        Assert.Equal("240.240.1.1", Plan(robbed[..1], "cluster.local", second).Held["shop/old a.example"]);
    }

    [Fact]
    public void After_a_start_an_address_is_theirs_whose_entry_was_written_before()
    {
        var (robber, owner) = (At("99", Entry("old", "a.example", "240.240.1.1")), At("70", Entry("new", "b.example", "240.240.1.1")));
        Assert.Equal(["shop/new b.example"], Plan([robber, owner], "cluster.local", HostAddresses.None).Held.Keys);
        Assert.Equal(["shop/new b.example"], Plan([At("not a number", robber), owner], "cluster.local", HostAddresses.None).Held.Keys);
        static ServiceEntry At(string revision, ServiceEntry entry) => entry with { Metadata = entry.Metadata with { ResourceVersion = revision } };
    }

    [Fact]
    public void A_compiler_that_goes_on_from_a_snapshot_knows_who_held_an_address()
    {
        MeshInputs Inputs(string? claim) => new() { ServiceEntries = [Entry("old", "a.example", claim), Entry("zen", "b.example", "240.240.1.1")] };
        var first = MeshCompiler.Compile(Inputs(null));
        var settled = first.Index!.HostAddresses.Held;
        Assert.Equal("240.240.1.1", settled["shop/zen b.example"]);
        Assert.Equal(settled, MeshCompiler.Compile(Inputs("240.240.1.1"), first).Index!.HostAddresses.Held);
        // Other settings do not make it forget.
        var other = Inputs("240.240.1.1") with { Settings = new() { ClusterDomain = "other.local" } };
        Assert.Equal(settled, MeshCompiler.Compile(other, first).Index!.HostAddresses.Held);
    }

    /// <summary>What clients send to an address that they were told must not come to somebody else because its entry cannot be read for a while.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_entry_that_is_left_out_keeps_what_its_hosts_were_given(bool afterStart)
    {
        var address = Assert.Single(Plan([Entry("bad", "b.example")], "cluster.local", HostAddresses.None).Wanted["shop/bad"]).Value!;
        var good = At("70", Entry("bad", "b.example", address));
        // One whose name leads to the same place, and one that says that it has it.
        ServiceEntry[] others = [At("80", Entry("zen", "b.example")), At(afterStart ? "90" : "60", Entry("old", "a.example", address))];
        var before = afterStart ? null : MeshCompiler.Compile(new() { ServiceEntries = [good] });

        var bad = good with { Spec = good.Spec with { Hosts = [null!] } };
        var (snapshot, problems) = Quarantine.Compile(new() { ServiceEntries = [bad, .. others] }, before);
        Assert.Equal("bad", Assert.Single(problems).Object.Name);
        Assert.DoesNotContain(snapshot.Index!.Hosts, host => host.Allocated == address);
        var plan = snapshot.Index.HostAddresses;
        Assert.Equal(address, plan.Held["shop/bad b.example"]);
        Assert.Equal(["shop/old", "shop/zen"], plan.Wanted.Keys.Order());
        Assert.All(plan.Wanted.Values.SelectMany(given => given), given => Assert.NotEqual(address, given.Value));
        // Again and again, and when it can be read again it has it.
        Assert.Equal(plan.Held, Quarantine.Compile(new() { ServiceEntries = [bad, .. others] }, snapshot).Snapshot.Index!.HostAddresses.Held);
        Assert.Contains(MeshCompiler.Compile(new() { ServiceEntries = [good, .. others] }, snapshot).Index!.Hosts, host => host.Name == "b.example" && host.Allocated == address);

        // Also with a status of which half is nothing.
        bad = bad with { Status = bad.Status with { Addresses = [null!, new(), .. good.Status.Addresses, .. good.Status.Addresses] } };
        Assert.Equal(address, Quarantine.Compile(new() { ServiceEntries = [bad, .. others] }, snapshot).Snapshot.Index!.HostAddresses.Held["shop/bad b.example"]);
        static ServiceEntry At(string revision, ServiceEntry entry) => entry with { Metadata = entry.Metadata with { ResourceVersion = revision } };
    }

    [Fact]
    public void Of_two_that_claim_the_same_and_of_whom_nothing_else_is_known_the_older_one_has_it_and_what_is_not_of_the_range_is_none()
    {
        var plan = Plan(
            [Entry("old", "a.example", "240.240.1.1"), Entry("new", "b.example", "240.240.1.1"), Entry("odd", "c.example", "10.96.0.1"), Entry("other", "a.example", "240.240.9.9")], "cluster.local", HostAddresses.None);
        Assert.Equal(["shop/old a.example"], plan.Held.Keys);
        Assert.Equal("240.240.1.1", Assert.Single(plan.Wanted["shop/old"]).Value);
        Assert.NotEqual("240.240.1.1", Assert.Single(plan.Wanted["shop/new"]).Value);
        Assert.StartsWith("240.240.", Assert.Single(plan.Wanted["shop/odd"]).Value, StringComparison.Ordinal);
        // The name is the older entry's.
        Assert.Empty(plan.Wanted["shop/other"]);
    }

    [Fact]
    public void Who_has_addresses_or_cannot_be_named_or_does_not_want_one_gets_none()
    {
        var entry = Entry("e", "a.example");
        ServiceEntry[] none =
        [
            entry with { Spec = entry.Spec with { Addresses = ["192.0.2.1"] } },
            entry with { Spec = entry.Spec with { Resolution = "NONE" } },
            entry with { Spec = entry.Spec with { Resolution = null } },
            entry with { Spec = entry.Spec with { Hosts = ["*.example", "web.shop.svc.cluster.local", "web.service.consul", "not a name"] } },
            entry with { Metadata = entry.Metadata with { Labels = new Dictionary<string, string> { ["networking.istio.io/enable-autoallocate-ip"] = "false" } } },
        ];
        Assert.All(none, one => Assert.Empty(Plan([one], "cluster.local", HostAddresses.None).Wanted["shop/e"]));
    }

    private static HostAddresses Plan(IReadOnlyList<ServiceEntry> entries, string domain, HostAddresses before) => HostAddresses.Plan(entries, domain, before, []);

    private static ServiceEntry Written(ServiceEntry entry, HostAddresses plan) => entry with { Status = entry.Status with { Addresses = plan.Wanted[MeshIndex.Name(entry)] } };

    private static ServiceEntry Entry(string name, string host, string? address = null) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "shop" },
        Spec = new ServiceEntrySpec { Hosts = [host], Resolution = "DNS", Ports = [new ServiceEntryPort { Number = 5432, Name = "tcp", Protocol = "TCP" }] },
        Status = new ServiceEntryStatus { Addresses = address is null ? [] : [new HostAddress { Host = host, Value = address }] },
    };
}
