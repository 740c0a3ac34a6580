using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using Weft.Extensions;

namespace Weft.Samples.Discovery;

/// <summary>Security: a request with a bearer token. The token goes to the service that the name leads to, and to nobody else: redirects are not followed.</summary>
internal static class Secure
{
    public static async Task<int> RunAsync(Uri url, string token)
    {
        var services = new ServiceCollection();
        services.AddHttpClient("shop").ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false }).AddWeftDiscovery();
        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("shop");
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await client.GetAsync(url);
        if (!response.IsSuccessStatusCode)
        {
            Console.Error.WriteLine($"refused: {(int)response.StatusCode}");
            return 1;
        }

        Console.WriteLine(await response.Content.ReadAsStringAsync());
        return 0;
    }
}
