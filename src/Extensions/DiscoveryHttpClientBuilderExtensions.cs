using Microsoft.Extensions.DependencyInjection;

namespace Weft.Extensions;

/// <summary>Discovery for clients of `IHttpClientFactory`.</summary>
public static class DiscoveryHttpClientBuilderExtensions
{
    /// <summary>
    /// The client finds services by name: `services.AddHttpClient("orders").AddWeftDiscovery()`. Names are followed once for all uses of the client; they end with the
    /// service provider.
    /// </summary>
    public static IHttpClientBuilder AddWeftDiscovery(this IHttpClientBuilder builder, Action<DiscoveryOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddKeyedSingleton(builder.Name, (_, _) =>
        {
            var options = new DiscoveryOptions();
            configure?.Invoke(options);
            return new ServiceResolver(options);
        });
        var name = builder.Name;
        return builder.AddHttpMessageHandler(services => new DiscoveryHandler(services.GetRequiredKeyedService<ServiceResolver>(name)));
    }
}
