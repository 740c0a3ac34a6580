using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Api;
using Weft.Api.Core;
using Weft.Client;
using Weft.Node.Pods;
using Weft.Testing;

namespace Weft.Node.Tests.Pods;

public sealed class PodWithdrawalTests
{
    private static readonly Pod Web = new() { Metadata = new ObjectMeta { Namespace = "shop", Name = "web-0", Uid = "u-1" } };

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 250)]
    [InlineData(4, 1000)]
    [InlineData(30, 7500)]
    [InlineData(3600, 10_000)]
    public void A_quarter_of_the_grace_and_at_most_ten_seconds(int graceSeconds, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), PodWithdrawal.PatienceOf(TimeSpan.FromSeconds(graceSeconds)));

    [Fact]
    public async Task It_asks_the_server_for_its_own_pod_and_goes_on_with_the_answer()
    {
        var asked = "";
        using var client = Client((request, _) =>
        {
            asked = request.RequestUri!.PathAndQuery;
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("""{"withdrawn":true}""", Encoding.UTF8, "application/json") });
        }, TimeProvider.System);
        await new PodWithdrawal(client, TimeProvider.System, NullLogger.Instance).WaitAsync(Web, TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.Equal("/weft.dev/withdrawals/v1/shop/web-0/u-1?milliseconds=7500", asked);
    }

    [Fact]
    public async Task A_server_that_is_silent_holds_up_no_end_for_longer_than_its_time()
    {
        var time = new ManualTime();
        using var client = Client(async (_, cancellationToken) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            throw new InvalidOperationException();
        }, time);
        var waiting = new PodWithdrawal(client, time, NullLogger.Instance).WaitAsync(Web, TimeSpan.FromSeconds(30), CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(7.4));
        Assert.False(waiting.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.5));
        await Eventually.EndsAsync(waiting);
    }

    [Theory]
    [InlineData(HttpStatusCode.OK, "{}")]
    [InlineData(HttpStatusCode.OK, "no json")]
    [InlineData(HttpStatusCode.OK, "[]")]
    [InlineData(HttpStatusCode.NotFound, "an older server")]
    [InlineData(HttpStatusCode.Forbidden, "{}")]
    [InlineData(null, "")]
    public async Task Whatever_the_server_says_the_pod_ends(HttpStatusCode? status, string body)
    {
        using var client = Client((_, _) => status is { } code
            ? Task.FromResult(new HttpResponseMessage(code) { Content = new StringContent(body, Encoding.UTF8, "application/json") })
            : throw new HttpRequestException("connection refused"), TimeProvider.System);
        await Eventually.EndsAsync(new PodWithdrawal(client, TimeProvider.System, NullLogger.Instance).WaitAsync(Web, TimeSpan.FromSeconds(30), CancellationToken.None));
    }

    private static KubeClient Client(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer, TimeProvider time) => new(new Answering(answer), time);

    private sealed class Answering(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request, cancellationToken);
    }
}
