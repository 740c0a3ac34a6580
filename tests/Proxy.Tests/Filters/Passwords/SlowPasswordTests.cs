using System.Net;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Filters.Authentication.Passwords;
using Weft.Proxy.Tests.Forwarding;
using Weft.Testing;
using static Weft.Proxy.Tests.Filters.TestHost;

namespace Weft.Proxy.Tests.Filters.Passwords;

/// <summary>Passwords that take long to check: never on a loop, never too many at once.</summary>
public sealed class SlowPasswordTests
{
    [Fact]
    public async Task A_bcrypt_password_opens_through_an_engine_and_a_wrong_one_and_a_wrong_name_do_not()
    {
        await using var endpoint = await ProxyFixture.ServerAsync(Echo.AnswerAsync);
        var users = new DataSource { Inline = $"ada:{await BcryptTests.HtpasswdAsync("5", "open:sésame")}\n" };
        await using var proxy = await ProxyFixture.StartAsync(Echo.Config(endpoint, new BasicAuthFilter { Users = users, ClientHeader = "x-client" }));

        for (var i = 0; i < 3; i++)
        {
            using var response = await SendAsync(proxy, Basic("ada", "open:sésame"));
            var seen = await Echo.SeenAsync(response);
            Assert.Equal(("ada", null), (seen["x-client"]!.ToString(), seen["authorization"]?.ToString()));
        }

        foreach (var bad in new[] { Basic("ada", "open:sesame"), Basic("eve", "open:sésame"), Basic("ada", "open:sésame\0") })
        {
            using var response = await SendAsync(proxy, bad);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }

        await Eventually.TrueAsync(() => proxy.Records().Contains("password_refused", StringComparison.Ordinal));
        Assert.DoesNotContain("sésame", proxy.Records(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_request_waits_for_a_worker_and_is_decided_when_it_is_woken()
    {
        using var workers = new PasswordWorkers(atOnce: 1, waiting: 0);
        var filter = new PasswordCheckFilter(new BasicAuthFilter(), new PasswordTable($"ada:{await BcryptTests.HtpasswdAsync("4", "good")}"), workers);
        foreach (var (password, verdict) in new[] { ("bad", FilterVerdict.Respond), ("good", FilterVerdict.Continue) })
        {
            var context = Context("GET", "a.test", "/", Basic("ada", password));
            Assert.Equal(FilterVerdict.Suspend, filter.OnRequest(context));
            await Eventually.TrueAsync(() => Of(context).Resumed == 1);
            Assert.Equal(verdict, filter.OnRequest(context));
            Assert.Equal(verdict == FilterVerdict.Continue ? "ada" : null, context.Identity?.Principal);
        }

        Assert.Equal(FilterVerdict.Continue, filter.OnRequest(Context("GET", "a.test", "/", Basic("ada", "good"))));
    }

    [Fact]
    public async Task Beyond_what_may_wait_a_request_is_told_to_come_again()
    {
        using var workers = new PasswordWorkers(atOnce: 1, waiting: 1);
        using var gate = new ManualResetEventSlim();
        var filter = new PasswordCheckFilter(new BasicAuthFilter(), new PasswordTable($"ada:{await BcryptTests.HtpasswdAsync("4", "good")}"), workers);
        var (one, two) = (workers.Check(Wait), workers.Check(Wait));

        var context = Context("GET", "a.test", "/", Basic("ada", "good"));
        Assert.Equal(FilterVerdict.Respond, filter.OnRequest(context));
        Assert.Equal((503, "password_check_overloaded"), (context.Reply.Head.Status, context.Detail));

        gate.Set();
        Assert.True(await Eventually.EndsAsync(one!) && await Eventually.EndsAsync(two!));
        Assert.Equal(FilterVerdict.Suspend, filter.OnRequest(Context("GET", "a.test", "/", Basic("ada", "good"))));

        bool Wait() => gate.Wait(Eventually.Deadline);
    }

    private static (string Name, string Value) Basic(string name, string password) => ("authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{name}:{password}")));

    private static Task<HttpResponseMessage> SendAsync(ProxyFixture proxy, (string, string) field) => Echo.SendAsync(proxy, "/", [field], TestContext.Current.CancellationToken);
}
