using Microsoft.Extensions.DependencyInjection;
using Weft.Extensions;

namespace Weft.Samples.Discovery;

/// <summary>Load balancing: each request goes to the next instance of the service; one that does not answer is passed over.</summary>
internal static class Balance
{
    public static async Task<int> RunAsync(Uri url, int times)
    {
        var services = new ServiceCollection();
        services.AddHttpClient("shop").AddWeftDiscovery(options => options.Balancing = BalancingPolicy.RoundRobin);
        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("shop");
        for (var i = 0; i < times; i++)
            Console.WriteLine(await client.GetStringAsync(url));
        return 0;
    }
}
