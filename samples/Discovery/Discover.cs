using Weft.Extensions;

namespace Weft.Samples.Discovery;

/// <summary>Service discovery: where a service is to be had.</summary>
internal static class Discover
{
    public static async Task<int> RunAsync(string service)
    {
        await using var resolver = new ServiceResolver(new DiscoveryOptions());
        foreach (var endpoint in await resolver.ResolveAsync(service, CancellationToken.None))
            Console.WriteLine($"{endpoint.Address}:{endpoint.Port}");
        return 0;
    }
}
