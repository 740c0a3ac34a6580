using Weft.Api.Core;
using Weft.Node.Network;
using Weft.Testing;

namespace Weft.Node.Tests.Agent;

public sealed class ServiceRulesTests
{
    [Fact]
    public async Task A_table_that_somebody_changed_is_made_anew_at_the_next_change()
    {
        await using var node = await NodeFixture.StartAsync(173);
        var table = NodeFirewall.TableName(node.Options.ClusterName);
        foreach (var (name, number) in ((string, int)[])[("one", 21), ("two", 22)])
        {
            await node.CreateAsync($$"""{"apiVersion":"v1","kind":"Service","metadata":{"name":"{{name}}","namespace":"default"},"spec":{"clusterIP":"10.212.173.{{number}}","ports":[{"port":80}] } }""");
            await node.CreateAsync($$"""
                {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"{{name}}-1","namespace":"default","labels":{"kubernetes.io/service-name":"{{name}}"} },
                 "addressType":"IPv4","ports":[{"name":"","port":8080,"protocol":"TCP"}],"endpoints":[{"addresses":["10.213.200.{{number}}"]}]}
                """);
        }
        await HasAsync("10.212.173.21 . 80 . 0 : 10.213.200.21 . 8080", "10.212.173.22 . 80 . 0 : 10.213.200.22 . 8080");

        // The change of `two` takes away an element that is not there: the kernel refuses it, and `one` comes back with the rest.
        await Nft.RunAsync($"flush map ip {table} tcp_endpoints\n");
        await node.Client.For<Service>().DeleteAsync(new("default", "two"), default);

        await HasAsync("10.212.173.21 . 80 . 0 : 10.213.200.21 . 8080");
        Assert.DoesNotContain("10.213.200.22", await ListAsync());

        Task HasAsync(params string[] elements) => Eventually.TrueAsync(async () =>
        {
            var listing = await ListAsync();
            return elements.All(element => listing.Contains(element, StringComparison.Ordinal));
        }, $"the table has {string.Join(" and ", elements)}");
        Task<string> ListAsync() => Nft.ReadAsync(["list", "map", "ip", table, "tcp_endpoints"]);
    }
}
