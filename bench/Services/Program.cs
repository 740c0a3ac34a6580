using System.Diagnostics;
using System.Globalization;
using Weft.Api;
using Weft.Api.Core;
using Weft.Api.Discovery;
using Weft.Node.Network;
using Weft.Node.Network.Nftables;
using Weft.Node.Network.Services;

// What a change of a service costs the node: planning, the difference, and the kernel's transaction. Three kinds of change in turn: an endpoint's
// address, one endpoint less or more, a service that goes and comes again.
// Run it in a network namespace of its own:   unshare -n dotnet run -c Release --project bench/Services
const int EndpointsEach = 10, Rounds = 300;
var time = TimeProvider.System;
var network = new ServiceNetwork("bench", "n1", "10.1.0.0/24", "10.1.0.0/16", "10.96.0.0/12");
if (args is ["rules", var many, var address, .. var ports])
{
    // For bench/Load/cluster-ip: the table of a node with so many services, of which the first leads to this address; its ports from the second on keep their numbers.
    var rules = new NftLedger(NodeFirewall.TableName("bench"));
    var first = new PortPlan { Service = "default/first", Protocol = "tcp", Port = 80, ClusterIp = "10.97.0.1" };
    rules.Change(Enumerable.Range(1, int.Parse(many, CultureInfo.InvariantCulture) - 1).Select(i => Wanted(i, 0)));
    rules.Change([("default/first", "first", ServiceObjects.Of(new ServicePlan("default/first", "first",
        [.. ports.Select(port => int.Parse(port, CultureInfo.InvariantCulture)).Select((port, i) => first with { Port = i == 0 ? 80 : port, Everywhere = [new Backend(address, port, true)] })]), network, (_, _) => false))]);
    Console.Write(NodeFirewall.Ruleset("bench", network.PodCidr, network.ClusterCidr) + ServiceTable.Whole(network, [], rules));
    return 0;
}

using var kernel = new NftTransactions(ServiceTable.TypeOf);
var programs = 0;
Console.WriteLine("services x 10   whole ms   plan us p50   allocated   kernel ms p50   p99   max   plan and kernel ms p99");
foreach (var count in (args.Length > 0 ? [int.Parse(args[0], CultureInfo.InvariantCulture)] : (int[])[10, 1000, 10000]))
{
    var ledger = new NftLedger(NodeFirewall.TableName("bench"));
    await NodeFirewall.RemoveAsync("bench");
    await NodeFirewall.ApplyAsync("bench", network.PodCidr, network.ClusterCidr);
    ledger.Change(Enumerable.Range(0, count).Select(i => Wanted(i, 0)));
    var start = time.GetTimestamp();
    await Nft.RunAsync(ServiceTable.Whole(network, [], ledger));
    var whole = time.GetElapsedTime(start).TotalMilliseconds;

    var (planning, applying, both) = (new List<double>(), new List<double>(), new List<double>());
    long allocated = 0;
    for (var round = 1; round <= Rounds; round++)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        start = time.GetTimestamp();
        var script = ledger.Change([Wanted(round * 7 % count, round)]);
        planning.Add(time.GetElapsedTime(start).TotalMicroseconds);
        allocated += GC.GetAllocatedBytesForCurrentThread() - before;
        start = time.GetTimestamp();
        programs += await kernel.ApplyAsync(script) is null ? 0 : 1;
        applying.Add(time.GetElapsedTime(start).TotalMilliseconds);
        both.Add(applying[^1] + planning[^1] / 1000);
    }
    planning.Sort();
    applying.Sort();
    both.Sort();
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{count,8}       {whole,8:F0}   {planning[Rounds / 2],11:F0}   {allocated / Rounds,9}   {applying[Rounds / 2],13:F2}   {applying[Rounds * 99 / 100 - 1],5:F2}   {applying[^1],5:F1}   {both[Rounds * 99 / 100 - 1],6:F2}"));
}
Console.WriteLine($"by way of the nft program: {programs}");

// 10,000 endpoints, 100 changes a second for ten seconds; what comes while a transaction is under way goes together in the next.
await NodeFirewall.RemoveAsync("bench");
await NodeFirewall.ApplyAsync("bench", network.PodCidr, network.ClusterCidr);
var all = new NftLedger(NodeFirewall.TableName("bench"));
var versions = new int[1000];
all.Change(Enumerable.Range(0, 1000).Select(i => Wanted(i, 0)));
await Nft.RunAsync(ServiceTable.Whole(network, [], all));
var from = time.GetTimestamp();
var processor = Environment.CpuUsage.TotalTime;
var (applied, transactions, lag) = (0, 0, 0.0);
while (applied < 1000)
{
    var due = Math.Min(1000, (int)(time.GetElapsedTime(from).TotalSeconds * 100) + 1);
    if (due == applied)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(1), time);
        continue;
    }
    var changed = new HashSet<int>();
    for (var i = applied; i < due; i++)
    {
        versions[i * 7 % 1000]++;
        changed.Add(i * 7 % 1000);
    }
    await kernel.ApplyAsync(all.Change(changed.Select(i => Wanted(i, versions[i]))));
    lag = Math.Max(lag, time.GetElapsedTime(from).TotalMilliseconds - applied * 10);
    applied = due;
    transactions++;
}
var seconds = time.GetElapsedTime(from).TotalSeconds;
var used = (Environment.CpuUsage.TotalTime - processor).TotalSeconds;
var kept = Words(await Nft.ReadAsync(["list", "table", "ip", "weft_bench"]));
await NodeFirewall.RemoveAsync("bench");
await NodeFirewall.ApplyAsync("bench", network.PodCidr, network.ClusterCidr);
await Nft.RunAsync(ServiceTable.Whole(network, [], all));
var fresh = Words(await Nft.ReadAsync(["list", "table", "ip", "weft_bench"]));
await NodeFirewall.RemoveAsync("bench");
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"100 changes/s on 10,000 endpoints: {transactions} transactions in {seconds:F1} s, oldest change waited {lag:F0} ms, {used / seconds:P1} of a core in the agent, stale: {(kept == fresh ? "none" : "SOME")}"));
return kept == fresh ? 0 : 1;

static string Words(string listing) => string.Join('\n', listing.Split([' ', '\n', '\t', ','], StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));

(string, string, NftObjects?) Wanted(int index, int version)
{
    if (version % 6 == 5)
        return ($"default/s{index}", $"default/s{index}", null);
    var service = new Service
    {
        Metadata = new ObjectMeta { Name = $"s{index}", Namespace = "default" },
        Spec = new ServiceSpec { ClusterIP = $"10.97.{index / 250}.{1 + index % 250}", Type = "ClusterIP", Ports = [new ServicePort { Port = 8080 }] },
    };
    var slice = new EndpointSlice
    {
        AddressType = "IPv4",
        Ports = [new Weft.Api.Discovery.EndpointPort { Name = "", Port = 80, Protocol = "TCP" }],
        Endpoints = [.. Enumerable.Range(0, EndpointsEach - (version % 3 == 1 ? 1 : 0)).Select(i => new Endpoint { Addresses = [Address(index * EndpointsEach + i + (i == 0 ? version * 100000 : 0))], NodeName = i % 3 == 0 ? "n1" : "n2" })],
    };
    var plan = ServicePlanner.Plan(service, [slice], network)!;
    return (plan.Service, plan.Age, ServiceObjects.Of(plan, network, (_, _) => false));
}

static string Address(int number) => $"10.{16 + number / 65536 % 64}.{number / 256 % 256}.{number % 256}";
