using Weft.Node.Interop;
using Weft.Node.Network;
using Weft.Node.Runtime.Process;
using Weft.Node.Tests.Pods;

namespace Weft.Node.Tests.Network;

public sealed class NetworkTests
{
    private static readonly DnsSettings Dns = new(["10.96.0.10"], "cluster.local");
    private const string Host = "# comment\nnameserver 192.0.2.53\nsearch lan\noptions edns0\n";

    [Fact]
    public void Cluster_names_are_searched_first()
    {
        Assert.Equal(
            "nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local lan\noptions ndots:5\n",
            ResolvConf.For(World.Pod("""{"containers":[]}"""), Dns, Host));
        Assert.Equal("nameserver 192.0.2.53\nsearch lan\noptions edns0\n", ResolvConf.For(World.Pod("""{"dnsPolicy":"Default","containers":[]}"""), Dns, Host));
        Assert.Equal("nameserver 192.0.2.53\nsearch lan\noptions edns0\n", ResolvConf.For(World.Pod("""{"hostNetwork":true,"containers":[]}"""), Dns, Host));
        Assert.Equal("nameserver 192.0.2.53\nsearch lan\noptions edns0\n", ResolvConf.For(World.Pod("""{"containers":[]}"""), Dns with { Nameservers = [] }, Host));
    }

    [Fact]
    public void A_pods_own_dns_settings_are_added() => Assert.Equal(
        "nameserver 1.1.1.1\nsearch x\noptions ndots:2\n",
        ResolvConf.For(World.Pod("""{"dnsPolicy":"None","dnsConfig":{"nameservers":["1.1.1.1"],"searches":["x"],"options":[{"name":"ndots","value":"2"}]},"containers":[]}"""), Dns, Host));

    [Fact]
    public void The_hosts_file_knows_the_pod_and_its_aliases()
    {
        var text = ResolvConf.Hosts(World.Pod("""{"subdomain":"db","hostAliases":[{"ip":"10.0.0.1","hostnames":["a","b"]}],"containers":[]}"""), "web", ["10.1.0.5"], "cluster.local");

        Assert.Contains("10.1.0.5\tweb.db.default.svc.cluster.local\tweb\n", text);
        Assert.Contains("10.0.0.1\ta\tb\n", text);
    }

    [Fact]
    public void The_default_route_names_the_link() =>
        Assert.Equal("eth1", HostLink.DefaultInterface(["Iface\tDestination\tGateway", "eth0\t0000000A\t0\t1\t0\t0\t0\t000000FF", "eth1\t00000000\t0100000A\t3\t0\t0\t0\t00000000"]));

    [Fact]
    public void The_gateway_is_the_first_address() => Assert.Equal("10.244.3.1", HostLink.Gateway("10.244.3.0/24"));

    [Fact]
    public void The_table_is_named_after_the_cluster() => Assert.Contains("table ip weft_my_lab {", NodeFirewall.Ruleset("my-lab", "10.1.0.0/24", "10.1.0.0/16"));

    [Fact]
    public void Mountinfo_is_read_with_its_escapes()
    {
        var entries = Mounts.Parse(["36 35 98:0 /a /mnt\\040x rw,noatime master:1 shared:2 - ext4 /dev/root rw", "37 35 0:1 / /proc rw - proc proc rw", "rubbish"]);

        Assert.Equal([new MountEntry("/mnt x", "ext4", "/dev/root", true), new MountEntry("/proc", "proc", "proc", false)], entries);
        Assert.Equal(["/home"], ContainerRoot.OtherDisks([new("/", "ext4", "", false), new("/home", "xfs", "", false), new("/tmp/x", "ext4", "", false), new("/proc", "proc", "", false)], ["/var"]));
    }

    [Fact]
    public void Crun_errors_are_reduced_to_their_sentence()
    {
        Assert.Equal("executable file `x` not found", CrunLog.Clean("2026-11-20T22:00:00.000000Z: executable file `x` not found\n"));
        Assert.Equal("no such file", CrunLog.Clean("""{"msg": "no such file", "level": "error", "time": "2026-11-20T22:00:00.000000Z"}"""));
    }
}
