using System.Net.Sockets;
using static Weft.Node.Tests.Network.Services.ServiceLab;

namespace Weft.Node.Tests.Network.Services;

/// <summary>What services promise, by real connections between namespaces.</summary>
public sealed class ServiceTrafficTests
{
    private const string All = $"{Local} {OtherLocal} {Remote}@n2", ClusterIp = "10.96.0.5", Balancer = "10.97.0.1";

    [Theory]
    [InlineData("TCP")]
    [InlineData("UDP")]
    public async Task Every_endpoint_is_reached_and_one_that_is_gone_no_more(string name)
    {
        var protocol = Enum.Parse<ProtocolType>(name, ignoreCase: true);
        await using var lab = await CreateAsync();
        var spec = $$"""{"clusterIP":"{{ClusterIp}}","ports":[{"port":80,"protocol":"{{name}}"}]}""";
        await lab.ProgramAsync(spec, All);

        // Drawn by lot: that one of three is missed in 60 happens once in 10^10.
        Assert.Equal([Local, OtherLocal, Remote], (await lab.AskersAsync(60, null, ClusterIp, 80, protocol)).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal([Local, OtherLocal, Remote], (await lab.AskersAsync(60, Local, ClusterIp, 80, protocol)).Distinct().Order(StringComparer.Ordinal));

        await lab.ProgramAsync(spec, $"{OtherLocal} {Remote}@n2");
        Assert.Equal([OtherLocal, Remote], (await lab.AskersAsync(60, Local, ClusterIp, 80, protocol)).Distinct().Order(StringComparer.Ordinal));

        await lab.ProgramAsync(spec, "");
        Assert.Null(await lab.AskAsync(Local, ClusterIp, 80, protocol));
    }

    [Fact]
    public async Task Affinity_keeps_a_client_with_its_endpoint_until_that_is_gone()
    {
        await using var lab = await CreateAsync();
        const string Spec = $$"""{"clusterIP":"{{ClusterIp}}","type":"NodePort","sessionAffinity":"ClientIP","ports":[{"port":80,"nodePort":30080}]}""";
        await lab.ProgramAsync(Spec, All);

        var mine = Assert.Single((await lab.AskersAsync(12, Outsider, Machine, 30080)).Distinct());
        var others = await lab.AskersAsync(1, Stranger, Machine, 30080);
        others = [.. others, .. await lab.AskersAsync(1, Local, ClusterIp, 80), .. await lab.AskersAsync(1, OtherLocal, ClusterIp, 80)];
        Assert.True(others.Append(mine).Distinct().Count() > 1, "all clients stay with one endpoint");

        // Another endpoint comes: nobody moves. His own goes: he moves, once.
        var rest = All.Split(' ').Where(endpoint => endpoint.Split('@')[0] != mine).ToList();
        await lab.ProgramAsync(Spec, string.Join(' ', [mine + (mine == Remote ? "@n2" : ""), rest[0]]));
        await lab.ProgramAsync(Spec, All);
        Assert.Equal([mine], (await lab.AskersAsync(6, Outsider, Machine, 30080)).Distinct());

        await lab.ProgramAsync(Spec, string.Join(' ', rest));
        var next = Assert.Single((await lab.AskersAsync(6, Outsider, Machine, 30080)).Distinct());
        Assert.Contains(next, rest.Select(endpoint => endpoint.Split('@')[0]));

        await lab.ProgramAsync(Spec, All);
        Assert.Equal([next], (await lab.AskersAsync(6, Outsider, Machine, 30080)).Distinct());
    }

    [Fact]
    public async Task External_traffic_stays_on_the_node_and_shows_its_source_when_its_policy_is_Local()
    {
        await using var lab = await CreateAsync();
        const string Cluster = $$"""{"clusterIP":"{{ClusterIp}}","type":"NodePort","ports":[{"port":80,"nodePort":30080}]}""";
        const string LocalOnly = $$"""{"clusterIP":"{{ClusterIp}}","type":"NodePort","externalTrafficPolicy":"Local","ports":[{"port":80,"nodePort":30080}]}""";
        await lab.ProgramAsync(Cluster, $"{Local} {Remote}@n2");
        Assert.Equal([Local, Remote], (await lab.AskersAsync(6, Outsider, Machine, 30080)).Distinct().Order(StringComparer.Ordinal));
        Assert.NotEqual(Outsider, (await lab.AskAsync(Outsider, Machine, 30080))!.Source);

        await lab.ProgramAsync(LocalOnly, $"{Local} {Remote}@n2");
        Assert.Equal([Local], (await lab.AskersAsync(6, Outsider, Machine, 30080)).Distinct());
        Assert.Equal(new Answer(Local, Outsider), await lab.AskAsync(Outsider, Machine, 30080));
        // Inside, every endpoint is as good.
        Assert.Equal([Local, Remote], (await lab.AskersAsync(6, OtherLocal, Machine, 30080)).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal([Local, Remote], (await lab.AskersAsync(6, null, Machine, 30080)).Distinct().Order(StringComparer.Ordinal));

        await lab.ProgramAsync(LocalOnly, $"{Remote}@n2");
        Assert.Null(await lab.AskAsync(Outsider, Machine, 30080));
        Assert.Equal(Remote, (await lab.AskAsync(OtherLocal, Machine, 30080))?.Server);
        Assert.Equal(Remote, (await lab.AskAsync(OtherLocal, ClusterIp, 80))?.Server);
    }

    [Fact]
    public async Task Internal_traffic_stays_on_the_node_when_its_policy_is_Local()
    {
        await using var lab = await CreateAsync();
        const string Spec = $$"""{"clusterIP":"{{ClusterIp}}","internalTrafficPolicy":"Local","ports":[{"port":80}]}""";
        await lab.ProgramAsync(Spec, All);
        Assert.Equal([Local, OtherLocal], (await lab.AskersAsync(8, Local, ClusterIp, 80)).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal([Local, OtherLocal], (await lab.AskersAsync(8, null, ClusterIp, 80)).Distinct().Order(StringComparer.Ordinal));

        await lab.ProgramAsync(Spec, $"{Remote}@n2");
        Assert.Null(await lab.AskAsync(Local, ClusterIp, 80));

        await lab.ProgramAsync(Spec.Replace(""","internalTrafficPolicy":"Local" """.TrimEnd(), ""), $"{Remote}@n2");
        Assert.Equal(Remote, (await lab.AskAsync(Local, ClusterIp, 80))?.Server);
    }

    [Fact]
    public async Task Source_ranges_hold_for_the_balancers_address_and_its_port_on_the_node()
    {
        await using var lab = await CreateAsync();
        const string Spec = $$"""{"clusterIP":"{{ClusterIp}}","type":"LoadBalancer","loadBalancerSourceRanges":["192.0.2.0/24","203.0.113.7/32"],"ports":[{"port":80,"nodePort":30080}]}""";
        await lab.ProgramAsync(Spec, All);

        Assert.NotNull(await lab.AskAsync(Outsider, Balancer, 80));
        Assert.NotNull(await lab.AskAsync(Outsider, Machine, 80));
        Assert.Null(await lab.AskAsync(Stranger, Balancer, 80));
        Assert.Null(await lab.AskAsync(Stranger, Machine, 80));
        // The cluster's address and the node port are not the balancer's.
        Assert.NotNull(await lab.AskAsync(Local, ClusterIp, 80));
        Assert.NotNull(await lab.AskAsync(Stranger, Machine, 30080));

        await lab.ProgramAsync(Spec.Replace("192.0.2.0/24", "198.51.100.2/32"), All);
        Assert.Null(await lab.AskAsync(Outsider, Balancer, 80));
        Assert.NotNull(await lab.AskAsync(Stranger, Balancer, 80));

        await lab.ProgramAsync(Spec.Replace("192.0.2.0/24", "0.0.0.0/0"), All);
        Assert.NotNull(await lab.AskAsync(Outsider, Balancer, 80));
    }
}
