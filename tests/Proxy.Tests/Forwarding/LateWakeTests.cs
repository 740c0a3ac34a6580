using System.Net;
using Weft.Jose;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tests.Filters.Jwt;
using Weft.Testing;

namespace Weft.Proxy.Tests.Forwarding;

public sealed class LateWakeTests
{
    [Fact]
    public async Task What_a_request_waited_for_wakes_nobody_when_its_client_has_gone()
    {
        using var key = SigningKey.CreateEs256();
        await using var keys = await KeyServer.StartAsync(key);
        var gate = new TaskCompletionSource();
        keys.Gate = gate.Task;
        var direct = new DirectResponse { Status = 200 };
        var config = ProxyFixture.Config(
        [
            new RouteConfig { Name = "jwt", Matches = [new() { Path = new(PathMatchKind.Exact, "/jwt") }], Action = direct, Filters = [new JwtFilter { Providers = ["main"] }] },
            new RouteConfig { Name = "slow", Action = direct, Filters = [new FaultFilter { Delay = TimeSpan.FromHours(1), DelayFraction = 1 }] },
        ]);
        await using var proxy = await ProxyFixture.StartAsync(config with { JwtProviders = [new JwtProviderConfig { Name = "main", Issuer = KeyServer.Issuer, JwksUri = keys.Uri }] });
        using (var leaving = new CancellationTokenSource())
        {
            var gone = SendAsync(proxy, "/jwt", key, leaving.Token);
            await Eventually.TrueAsync(() => keys.Fetches == 1);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        }

        await Eventually.TrueAsync(() => InFlight(proxy) == 0);

        // One of these has the object of the request that is gone.
        using var waiting = new CancellationTokenSource();
        var slow = Enumerable.Range(0, 16).Select(_ => SendAsync(proxy, "/slow", key, waiting.Token)).ToList();
        await Eventually.TrueAsync(() => InFlight(proxy) == 16);
        gate.SetResult();
        using (var good = await SendAsync(proxy, "/jwt", key, TestContext.Current.CancellationToken))
            Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        // More than one turn of each loop later.
        for (var i = 0; i < 20; i++)
        {
            using var other = await SendAsync(proxy, "/jwt", key, TestContext.Current.CancellationToken);
        }

        Assert.All(slow, request => Assert.False(request.IsCompleted));
        Assert.Equal(16, InFlight(proxy));
        await waiting.CancelAsync();
        await Task.WhenAll(slow.Select(request => Assert.ThrowsAnyAsync<OperationCanceledException>(() => request)));
    }

    private static Task<HttpResponseMessage> SendAsync(ProxyFixture proxy, string path, SigningKey key, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, proxy.Url(path));
        request.Headers.TryAddWithoutValidation("authorization", "Bearer " + KeyServer.Sign(key));
        return proxy.Client.SendAsync(request, cancellationToken);
    }

    private static int InFlight(ProxyFixture proxy)
        => int.Parse(proxy.Metrics().Split('\n').Single(line => line.StartsWith("weft_proxy_requests_in_flight ", StringComparison.Ordinal)).Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
}
