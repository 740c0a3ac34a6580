using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Config.Tests.Model;

public sealed class DefaultTests
{
    /// <summary>A static that is made before what it is made with is only half of what it says.</summary>
    [Fact]
    public void What_stands_for_the_defaults_is_what_is_made_without_settings()
    {
        Assert.Equal(new HttpSettings(), HttpSettings.Default);
        Assert.Contains("x-forwarded-client-cert", HttpSettings.Default.StripHeaders);
        Assert.Equal(new RouteMatch(), RouteMatch.Any);
        Assert.Equal(new RetryPolicy(), RetryPolicy.Default);
        Assert.Equal(new PoolLimits(), PoolLimits.Default);
        Assert.Equal(new ListenerConfig().Http, HttpSettings.Default);
        Assert.Equal(new ProxyConfig(), ProxyConfig.Empty);
        Assert.Equal(new RouteConfig().Action, DirectResponse.NotFound);
    }
}
