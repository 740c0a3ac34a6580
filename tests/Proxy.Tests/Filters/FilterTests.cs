using System.Net;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Filters;
using Weft.Proxy.Filters.Authorization;
using Weft.Proxy.Filters.Authorization.External;
using Weft.Proxy.Filters.Cors;
using Weft.Proxy.Filters.Edge;
using Weft.Proxy.Filters.Faults;
using Weft.Proxy.Filters.Headers;
using Weft.Proxy.Filters.RateLimits;
using Weft.Proxy.Http;
using Weft.Proxy.Rates;
using static Weft.Proxy.Tests.Filters.TestHost;

namespace Weft.Proxy.Tests.Filters;

public sealed class FilterTests
{
    [Fact]
    public void Headers_are_removed_set_and_added_and_values_speak_of_the_request()
    {
        var filter = new HeaderEditFilter(new()
        {
            Request = new()
            {
                Remove = ["x-secret", "x-old-*"],
                Set = [new("X-Client", "%CLIENT_ADDRESS% %METHOD% %REQ(x-in)% 100%%"), new("Host", "inner.test")],
                Add = [new("x-in", "two")],
            },
            Response = new() { Set = [new("server", "weft")], Remove = ["x-powered-by"] },
        });
        var context = Context("GET", "a.test", "/p", ("x-secret", "1"), ("x_old_a", "1"), ("x-client", "forged"), ("x-in", "one"));

        Assert.Equal(FilterVerdict.Continue, filter.OnRequest(context));

        var headers = context.Request.Headers;
        Assert.Null(Header(headers, "x-secret"));
        Assert.Null(Header(headers, "x_old_a"));
        Assert.Equal("192.0.2.7 GET one 100%", Header(headers, "x-client"));
        Assert.Equal("one|two", Header(headers, "x-in"));
        Assert.Equal("inner.test", Routing.Ask.Text(context.Request.Authority));

        context.Response.Headers.Add("x-powered-by"u8, "cobol"u8);
        context.Response.Headers.Add("server"u8, "other"u8);
        filter.OnResponse(context);
        Assert.Null(Header(context.Response.Headers, "x-powered-by"));
        Assert.Equal("weft", Header(context.Response.Headers, "server"));
    }

    [Theory]
    [InlineData("/p?a=1&b=2&c=3", "/p?b=2&c=4&d=x%20y")]
    [InlineData("/p", "/p?c=4&d=x%20y")]
    [InlineData("/p?%61=1&b", "/p?b&c=4&d=x%20y")]
    public void Query_is_edited(string target, string expected)
    {
        var filter = new QueryEditFilter(new() { Remove = ["a"], Set = [new("c", "4")], Add = [new("d", "x y")] });
        var context = Context("GET", "a.test", target);

        filter.OnRequest(context);

        Assert.Equal(expected, Routing.Ask.Text(context.Request.Target));
    }

    [Fact]
    public void A_preflight_of_an_allowed_origin_is_answered()
    {
        var filter = new CorsPolicyFilter(Cors);
        var context = Context("OPTIONS", "a.test", "/", ("origin", "https://shop.test"), ("access-control-request-method", "PUT"), ("access-control-request-headers", "x-a"));

        Assert.Equal(FilterVerdict.Respond, filter.OnRequest(context));
        var headers = context.Reply.Head.Headers;
        Assert.Equal(200, context.Reply.Head.Status);
        Assert.Equal("https://shop.test", Header(headers, "access-control-allow-origin"));
        Assert.Equal("true", Header(headers, "access-control-allow-credentials"));
        Assert.Equal("GET, PUT", Header(headers, "access-control-allow-methods"));
        Assert.Equal("x-a", Header(headers, "access-control-allow-headers"));
        Assert.Equal("600", Header(headers, "access-control-max-age"));
    }

    [Fact]
    public void A_preflight_of_a_strange_origin_gets_no_permission()
    {
        var context = Context("OPTIONS", "a.test", "/", ("origin", "https://shop.test.evil"), ("access-control-request-method", "PUT"));

        Assert.Equal(FilterVerdict.Respond, new CorsPolicyFilter(Cors).OnRequest(context));
        Assert.Equal(403, context.Reply.Head.Status);
        Assert.Null(Header(context.Reply.Head.Headers, "access-control-allow-origin"));
    }

    [Theory]
    [InlineData("https://shop.test", "https://shop.test")]
    [InlineData("https://evil.test", "upstream")]
    public void An_answer_says_once_who_may_read_it(string origin, string expected)
    {
        var filter = new CorsPolicyFilter(Cors);
        var context = Context("GET", "a.test", "/", ("origin", origin));
        Assert.Equal(FilterVerdict.Continue, filter.OnRequest(context));
        context.Response.Headers.Add("access-control-allow-origin"u8, "upstream"u8);

        filter.OnResponse(context);

        Assert.Equal(expected, Header(context.Response.Headers, "access-control-allow-origin"));
    }

    [Fact]
    public void A_fault_delays_then_aborts()
    {
        var filter = new FaultInjectionFilter(new() { Delay = TimeSpan.FromSeconds(2), DelayFraction = 1, AbortStatus = 503, AbortFraction = 1 });
        var context = Context("GET", "a.test", "/");

        Assert.Equal(FilterVerdict.Suspend, filter.OnRequest(context));
        Assert.Equal(TimeSpan.FromSeconds(2), Of(context).Delay);
        Assert.Equal(FilterVerdict.Respond, filter.OnRequest(context));
        Assert.Equal(503, context.Reply.Head.Status);
    }

    [Fact]
    public void A_fault_meets_its_share_of_the_requests()
    {
        var filter = new FaultInjectionFilter(new() { AbortStatus = 500, AbortFraction = 0.2 });
        var context = Context("GET", "a.test", "/");

        var aborted = Enumerable.Range(0, 10_000).Count(_ => filter.OnRequest(context) == FilterVerdict.Respond);

        // 2,000 with a deviation of 40: five of them either way.
        Assert.InRange(aborted, 1800, 2200);
    }

    [Fact]
    public void A_grpc_client_gets_a_status_it_can_read()
    {
        var filter = new FaultInjectionFilter(new() { AbortGrpcStatus = 14, AbortFraction = 1 });
        var context = Context("POST", "a.test", "/s/m", ("content-type", "application/grpc+proto"));
        filter.OnRequest(context);
        Assert.Equal((200, "14"), (context.Reply.Head.Status, Header(context.Reply.Head.Headers, "grpc-status")));

        context.Respond(403, "x", "denied 100%\n");
        Assert.Equal((200, "7", "denied 100%25%0A"), (context.Reply.Head.Status, Header(context.Reply.Head.Headers, "grpc-status"), Header(context.Reply.Head.Headers, "grpc-message")));
    }

    [Fact]
    public void A_rate_limit_gives_its_burst_and_then_its_rate()
    {
        var filter = new LocalRateLimitFilter(new() { Name = "l", Requests = 2, Per = TimeSpan.FromSeconds(1), Burst = 3 });
        var context = Context("GET", "a.test", "/");

        Assert.Equal([true, true, true, false, false], Enumerable.Range(0, 5).Select(_ => filter.OnRequest(context) == FilterVerdict.Continue));
        Assert.Equal((429, "1"), (context.Reply.Head.Status, Header(context.Reply.Head.Headers, "retry-after")));
        filter.OnResponse(context);
        Assert.Equal(("3", "0", "2"), (Header(context.Response.Headers, "x-ratelimit-limit"), Header(context.Response.Headers, "x-ratelimit-remaining"), Header(context.Response.Headers, "x-ratelimit-reset")));

        Of(context).Now += 500_000_000;
        Assert.Equal([true, false], Enumerable.Range(0, 2).Select(_ => filter.OnRequest(context) == FilterVerdict.Continue));
        Of(context).Now += 60_000_000_000;
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(_ => filter.OnRequest(context) == FilterVerdict.Continue));
    }

    [Fact]
    public void Keys_have_buckets_of_their_own()
    {
        var filter = new LocalRateLimitFilter(new() { Requests = 1, Per = TimeSpan.FromHours(1), Keys = [new HeaderKey("X-Key"), new AddressKey()] });

        Assert.Equal(
            [true, true, false, true, false],
            new[] { "a", "b", "a", "", "" }.Select(k => filter.OnRequest(Context("GET", "a.test", "/", k.Length == 0 ? [] : [("x-key", k)])) == FilterVerdict.Continue));
    }

    [Fact]
    public void A_table_of_buckets_is_bounded_and_keeps_those_in_use()
    {
        var table = new BucketTable(100);
        var rate = BucketRate.Of(1, TimeSpan.FromHours(1), 0);
        var mine = table.Get("mine"u8, 0);
        Assert.True(mine.TryTake(rate, 0));
        for (var i = 0; i < 10_000; i++)
        {
            table.Get(Encoding.ASCII.GetBytes($"key-{i}"), 0).TryTake(rate, 0);
            Assert.Same(mine, table.Get("mine"u8, 0));
        }

        Assert.Equal(100, table.Count);
        Assert.False(mine.TryTake(rate, 0));
    }

    [Fact]
    public async Task Threads_together_take_no_more_than_there_is()
    {
        var (bucket, rate) = (new TokenBucket(), BucketRate.Of(1000, TimeSpan.FromHours(1), 0));

        var taken = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Enumerable.Range(0, 5000).Count(_ => bucket.TryTake(rate, 0)))));

        Assert.Equal(1000, taken.Sum());
    }

    [Theory]
    [InlineData(200, FilterVerdict.Continue, 0)]
    [InlineData(401, FilterVerdict.Respond, 401)]
    [InlineData(302, FilterVerdict.Respond, 302)]
    [InlineData(500, FilterVerdict.Respond, 403)]
    [InlineData(0, FilterVerdict.Respond, 403)]
    internal void The_authorizer_decides(int answer, FilterVerdict verdict, int status)
    {
        var filter = new HttpAuthorizerFilter(new() { Name = "login", Cluster = "auth", PathPrefix = "/verify", UpstreamHeaders = ["x-user"] });
        var context = Context("POST", "a.test", "/p?q", ("cookie", "c=1"), ("x-user", "admin"), ("x-other", "1"));

        Assert.Equal(FilterVerdict.Suspend, filter.OnRequest(context));
        var question = Of(context).Question!;
        Assert.Equal(("auth", "POST", "/verify/p?q", "a.test"), (question.Cluster, Routing.Ask.Text(question.Head.Method), Routing.Ask.Text(question.Head.Target), Routing.Ask.Text(question.Head.Authority)));
        Assert.Equal(("c=1", null), (Header(question.Head.Headers, "cookie"), Header(question.Head.Headers, "x-other")));
        var head = new ResponseHead { Status = answer };
        head.Headers.Add("x-user"u8, "anna"u8);
        head.Headers.Add("location"u8, "/login"u8);
        question.Handler.OnAnswer(answer == 0 ? null : head, "body"u8);
        Assert.Equal(1, Of(context).Resumed);

        Assert.Equal(verdict, filter.OnRequest(context));
        Assert.Equal(verdict == FilterVerdict.Continue ? "anna" : answer is 200 or >= 500 or 0 ? null : "admin", Header(context.Request.Headers, "x-user"));
        if (verdict == FilterVerdict.Respond)
            Assert.Equal((status, answer is 401 or 302 ? "/login" : null), (context.Reply.Head.Status, Header(context.Reply.Head.Headers, "location")));
    }

    [Fact]
    public void A_question_is_taken_back_when_the_exchange_ends()
    {
        var chain = new FilterChain([new HttpAuthorizerFilter(new() { Cluster = "auth" })]);
        var context = Context("GET", "a.test", "/");
        Assert.Equal(FilterVerdict.Suspend, chain.Run(context));

        chain.End(context);

        Assert.True(Of(context).Question!.Cancelled);
    }

    [Fact]
    public void The_edge_takes_off_what_a_client_must_not_say()
    {
        var context = Context("GET", "A.test:8080", "/a/../b", ("x-forwarded-client-cert", "By=x"), ("X_Envoy_Original_Path", "/admin"), ("x-forwarded-for", "10.0.0.1"), ("forwarded", "for=x"), ("x-real-ip", "10.0.0.1"), ("accept", "*/*"));

        Assert.Equal(FilterVerdict.Continue, new EdgeStage(HttpSettings.Default).Enter(context));

        var names = Enumerable.Range(0, context.Request.Headers.Count).Select(i => Routing.Ask.Text(context.Request.Headers.Name(i))).Order(StringComparer.Ordinal);
        Assert.Equal(["accept", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"], names);
        Assert.Equal("192.0.2.7", Header(context.Request.Headers, "x-forwarded-for"));
        Assert.Equal(("/b", "a.test:8080"), (Routing.Ask.Text(context.Request.Target), Routing.Ask.Text(context.Request.Authority)));
    }

    [Fact]
    public void What_a_client_says_of_its_identity_is_taken_off_behind_a_trusted_proxy_as_well()
    {
        var context = Context("GET", "a.test", "/", ("x-forwarded-client-cert", "By=x"), ("x-forwarded-proto", "https"));

        new EdgeStage(new() { TrustedProxies = ["192.0.2.0/24"] }).Enter(context);

        Assert.Equal((null, "https"), (Header(context.Request.Headers, "x-forwarded-client-cert"), Header(context.Request.Headers, "x-forwarded-proto")));
        context = Context("GET", "a.test", "/", ("x-forwarded-client-cert", "By=x"));
        new EdgeStage(new() { TrustedProxies = ["192.0.2.0/24"], StripHeaders = [] }).Enter(context);
        Assert.Equal("By=x", Header(context.Request.Headers, "x-forwarded-client-cert"));
    }

    [Theory]
    [InlineData("203.0.113.9", "203.0.113.9")]
    [InlineData("1.1.1.1, 203.0.113.9", "203.0.113.9")]
    [InlineData("1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9")]
    [InlineData("10.0.0.3, 10.0.0.2", "10.0.0.3")]
    [InlineData("203.0.113.9, nonsense, 10.0.0.2", "10.0.0.2")]
    public void Behind_trusted_proxies_the_client_is_the_last_that_is_none(string forwarded, string client)
    {
        var context = Context("GET", "a.test", "/", ("x-forwarded-for", forwarded));

        new EdgeStage(new() { TrustedProxies = ["192.0.2.0/24", "10.0.0.0/8"] }).Enter(context);

        Assert.Equal(IPAddress.Parse(client), context.Facts.ClientAddress);
        Assert.Equal($"{forwarded}, 192.0.2.7", Header(context.Request.Headers, "x-forwarded-for"));
    }

    [Theory]
    [InlineData("other.test", 421)]
    [InlineData("a.test", 0)]
    [InlineData("a.test:443", 0)]
    public void A_connection_with_client_certificates_is_for_the_name_it_was_made_for(string authority, int status)
    {
        var context = Context("GET", authority, "/");
        context.Facts.Connection = Routing.Ask.Connection with { HasClientCertificates = true, ServerName = "a.test" };

        var verdict = new EdgeStage(HttpSettings.Default).Enter(context);

        Assert.Equal((status == 0 ? FilterVerdict.Continue : FilterVerdict.Respond, status), (verdict, context.Reply.Head.Status));
    }

    [Fact]
    public void A_filter_is_taken_over_while_its_configuration_is_the_same()
    {
        var (first, other) = (new RateLimitFilter { Requests = 1 }, new RateLimitFilter { Requests = 2 });
        var before = new FilterFactory(FilterKinds.WithoutServices);
        var made = before.Create([first, other], "route");

        var after = new FilterFactory(FilterKinds.WithoutServices, before).Create([first with { }, other with { Requests = 3 }], "route");

        Assert.Same(made[0], after[0]);
        Assert.NotSame(made[1], after[1]);
        Assert.NotSame(made[0], before.Create([first], "another route")[0]);
    }

    [Theory]
    [InlineData(11, FilterVerdict.Respond)]
    [InlineData(10, FilterVerdict.Continue)]
    [InlineData(-1, FilterVerdict.Continue)]
    internal void A_body_that_announces_too_much_is_refused(long length, FilterVerdict verdict)
    {
        var context = Context("POST", "a.test", "/");
        context.Request.ContentLength = length;

        Assert.Equal(verdict, new RequestSizeFilter(new(10)).OnRequest(context));
        Assert.Equal(10, context.MaxRequestBytes);
    }

    private static CorsFilter Cors => new()
    {
        AllowOrigins = [StringMatch.Exact("https://shop.test")],
        AllowMethods = ["GET", "PUT"],
        AllowHeaders = ["*"],
        AllowCredentials = true,
        MaxAge = TimeSpan.FromMinutes(10),
    };
}
