using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Balancing.Health;
using Weft.Discovery.Process;
using Weft.Extensions.Sources;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.Extensions.Tests;

/// <summary>Clients, the registry and instances, all over real sockets.</summary>
public sealed class DiscoveryHandlerTests : IAsyncLifetime
{
    private readonly MemoryStore _store = new(TimeProvider.System);
    private RegistryProcess _registry = null!;
    private HttpClient _api = null!;

    public async ValueTask InitializeAsync()
    {
        _registry = await RegistryProcess.StartAsync(_store, TimeProvider.System, Seeded.Random(1), NullLoggerFactory.Instance);
        _api = new() { BaseAddress = new(_registry.Address, "v1/") };
    }

    [Fact]
    public async Task A_name_leads_to_its_instances_in_turn()
    {
        await using var one = await Backend.StartAsync("one");
        await using var two = await Backend.StartAsync("two");
        await RegisterAsync("orders", one);
        await RegisterAsync("orders", two);
        await using var services = Services(_ => { });
        var client = Client(services);
        var answers = new List<string>();
        for (var i = 0; i < 10; i++)
            answers.Add(await client.GetStringAsync("http://orders/list"));
        Assert.Equal((5, 5), (answers.Count(answer => answer == "one"), answers.Count(answer => answer == "two")));
        Assert.Equal("orders", one.SeenHost);
        Assert.Contains(await client.GetStringAsync("http://orders.service.consul/"), answers);
    }

    [Theory]
    [InlineData(BalancingPolicy.LeastRequest)]
    [InlineData(BalancingPolicy.Random)]
    [InlineData(BalancingPolicy.LeastResponseTime)]
    public async Task Every_way_of_balancing_reaches_them(BalancingPolicy policy)
    {
        await using var one = await Backend.StartAsync("one");
        await using var two = await Backend.StartAsync("two");
        await RegisterAsync("orders", one);
        await RegisterAsync("orders", two);
        await using var services = Services(options => options.Balancing = policy);
        var client = Client(services);
        for (var i = 0; i < 40; i++)
            await client.GetStringAsync("http://orders/");
        Assert.Equal(40, one.Requests + two.Requests);
        Assert.True(policy == BalancingPolicy.LeastResponseTime || (one.Requests > 0 && two.Requests > 0), $"{one.Requests} {two.Requests}");
    }

    [Fact]
    public async Task Where_nobody_listens_another_is_tried_and_the_dead_one_is_left_out()
    {
        await using var one = await Backend.StartAsync("one");
        await RegisterAsync("orders", one);
        await RegisterAsync("orders", DeadPort());
        await using var services = Services(_ => { });
        var client = Client(services);
        for (var i = 0; i < 20; i++)
        {
            using var content = new StringContent("body"); // a request that was not sent is sent again, a POST too
            using var response = await client.PostAsync("http://orders/", content);
            Assert.Equal("one", await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Who_answers_with_errors_is_left_out_for_a_while()
    {
        await using var one = await Backend.StartAsync("one");
        await using var two = await Backend.StartAsync("two");
        two.Status = 500;
        await RegisterAsync("orders", one);
        await RegisterAsync("orders", two);
        var time = new ManualTime();
        await using var services = Services(options =>
        {
            options.Time = time;
            options.Ejection = new OutlierSettings { Consecutive5xx = 3, BaseEjection = TimeSpan.FromSeconds(10), MaxEjectionPercent = 50 };
        });
        var client = Client(services);
        for (var i = 0; i < 20; i++)
            (await client.GetAsync("http://orders/")).Dispose();
        Assert.Equal(3, two.Requests);
        two.Status = 200;
        time.Advance(TimeSpan.FromSeconds(12));
        for (var i = 0; i < 10; i++)
            (await client.GetAsync("http://orders/")).Dispose();
        Assert.True(two.Requests > 3);
    }

    [Fact]
    public async Task Changes_arrive_by_themselves()
    {
        await using var one = await Backend.StartAsync("one");
        await using var two = await Backend.StartAsync("two");
        await RegisterAsync("orders", one);
        await using var services = Services(_ => { });
        var client = Client(services);
        Assert.Equal("one", await client.GetStringAsync("http://orders/"));
        await RegisterAsync("orders", two);
        await (await _api.PutAsync($"agent/service/deregister/orders-{one.Port}", null)).Content.ReadAsStringAsync();
        await Eventually.TrueAsync(async () => await client.GetStringAsync("http://orders/") == "two" && await client.GetStringAsync("http://orders/") == "two");
    }

    [Fact]
    public async Task An_unknown_name_fails_with_who_was_asked()
    {
        await using var services = Services(_ => { });
        var failed = await Assert.ThrowsAsync<HttpRequestException>(() => Client(services).GetStringAsync("http://nobody/"));
        Assert.Contains("service 'nobody' has no instance that takes traffic: registry http://127.0.0.1:", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_with_dots_and_addresses_are_left_alone()
    {
        await using var one = await Backend.StartAsync("one");
        await using var services = Services(_ => { });
        Assert.Equal("one", await Client(services).GetStringAsync($"http://127.0.0.1:{one.Port}/"));
        Assert.Equal("one", await Client(services).GetStringAsync($"http://localhost:{one.Port}/"));
    }

    [Fact]
    public async Task The_first_source_that_knows_a_name_has_it()
    {
        await using var one = await Backend.StartAsync("one");
        await using var two = await Backend.StartAsync("two");
        await RegisterAsync("orders", two);
        await using var resolver = new ServiceResolver(new DiscoveryOptions
        {
            Sources = { new Fixed("orders", new("127.0.0.1", one.Port)), new RegistrySource(_registry.Address, TimeProvider.System, Seeded.Random(1)) },
        });
        using var client = new HttpClient(new DiscoveryHandler(resolver) { InnerHandler = new SocketsHttpHandler() });
        Assert.Equal("one", await client.GetStringAsync("http://orders/"));
        await RegisterAsync("carts", two);
        Assert.Equal("two", await client.GetStringAsync("http://carts/"));
    }

    [Fact]
    public async Task The_registry_may_be_away_for_a_while()
    {
        await using var one = await Backend.StartAsync("one");
        await RegisterAsync("orders", one);
        await using var services = Services(_ => { });
        var client = Client(services);
        Assert.Equal("one", await client.GetStringAsync("http://orders/"));
        await _registry.DisposeAsync();
        for (var i = 0; i < 5; i++)
            Assert.Equal("one", await client.GetStringAsync("http://orders/"));
        _registry = await RegistryProcess.StartAsync(_store, TimeProvider.System, Seeded.Random(1), NullLoggerFactory.Instance);
    }

    [Fact]
    public async Task Dns_gives_addresses_and_the_request_the_port()
    {
        await using var one = await Backend.StartAsync("one");
        await using var resolver = new ServiceResolver(new DiscoveryOptions { Sources = { new DnsSource(TimeProvider.System, Seeded.Random(1)) }, IsServiceName = _ => true });
        using var client = new HttpClient(new DiscoveryHandler(resolver) { InnerHandler = new SocketsHttpHandler() });
        Assert.Equal("one", await client.GetStringAsync($"http://localhost:{one.Port}/"));
    }

    [Fact]
    public void Slices_give_ready_endpoints() => Assert.Equal(
        [new ServiceEndpoint("10.244.0.7", 8080)],
        KubernetesSource.Read([new()
        {
            AddressType = "IPv4", Ports = [new() { Port = 8080, Protocol = "TCP" }],
            Endpoints = [new() { Addresses = ["10.244.0.7"] }, new() { Addresses = ["10.244.0.8"], Conditions = new() { Ready = false } }],
        }]));

    private ServiceProvider Services(Action<DiscoveryOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddHttpClient("shop").AddWeftDiscovery(options =>
        {
            options.Sources.Add(new RegistrySource(_registry.Address, TimeProvider.System, Seeded.Random(1)));
            options.Random = Seeded.Random(1);
            configure(options);
        });
        return services.BuildServiceProvider();
    }

    private static HttpClient Client(ServiceProvider services) => services.GetRequiredService<IHttpClientFactory>().CreateClient("shop");

    private Task RegisterAsync(string name, Backend backend) => RegisterAsync(name, backend.Port);

    private async Task RegisterAsync(string name, int port) => (await _api.PutAsync("agent/service/register",
        new StringContent(JsonSerializer.Serialize(new { Name = name, ID = $"{name}-{port}", Address = "127.0.0.1", Port = port })))).EnsureSuccessStatusCode();

    private static int DeadPort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        _api.Dispose();
        await _registry.DisposeAsync();
        await _store.DisposeAsync();
    }

    private sealed class Fixed(string name, ServiceEndpoint endpoint) : IEndpointSource
    {
        public string Name => "a list";

        public Task FollowAsync(string service, Action<IReadOnlyList<ServiceEndpoint>> tell, CancellationToken cancellationToken)
        {
            tell(service == name ? [endpoint] : []);
            return Task.CompletedTask;
        }
    }
}
