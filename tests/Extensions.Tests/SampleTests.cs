using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Discovery.Process;
using Weft.Storage.Memory;
using Weft.Testing;

namespace Weft.Extensions.Tests;

/// <summary>The samples, as processes of their own beside a registry and two instances.</summary>
public sealed class SampleTests : IAsyncLifetime
{
    private readonly MemoryStore _store = new(TimeProvider.System);
    private RegistryProcess _registry = null!;
    private Backend _one = null!;
    private Backend _two = null!;

    public async ValueTask InitializeAsync()
    {
        _registry = await RegistryProcess.StartAsync(_store, TimeProvider.System, Seeded.Random(1), NullLoggerFactory.Instance);
        (_one, _two) = (await Backend.StartAsync("one"), await Backend.StartAsync("two"));
        using var api = new HttpClient { BaseAddress = _registry.Address };
        foreach (var port in new[] { _one.Port, _two.Port })
        {
            (await api.PutAsync("v1/agent/service/register",
                new StringContent(JsonSerializer.Serialize(new { Name = "service", ID = $"{port}", Address = "127.0.0.1", Port = port })))).EnsureSuccessStatusCode();
        }
    }

    [Fact]
    public async Task Requests_are_balanced() => Assert.Equal(["one", "one", "two", "two"], (await RunAsync("balance", "http://service/", "4")).Order(StringComparer.Ordinal));

    [Fact]
    public async Task A_service_is_found() => Assert.Equal(new[] { $"127.0.0.1:{_one.Port}", $"127.0.0.1:{_two.Port}" }.Order(StringComparer.Ordinal), (await RunAsync("discover", "service")).Order(StringComparer.Ordinal));

    [Fact]
    public async Task A_token_goes_with_a_request()
    {
        _one.Token = _two.Token = "Bearer token";
        Assert.Single(await RunAsync("secure", "http://service/", "token"));
        Assert.Empty(await RunAsync("secure", "http://service/", "wrong"));
    }

    [Fact]
    public async Task What_happens_is_logged()
    {
        using var dir = new TempDir();
        await RunAsync("log", dir.File("service.log"));
        Assert.Equal([" - service - Information - Service started", " - service - Information - Service stopped"], File.ReadLines(dir.File("service.log")).Select(line => line["2026-11-28 12:00:00,000".Length..]));
    }

    private async Task<string[]> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Sample(), .. arguments])
        {
            RedirectStandardOutput = true, Environment = { ["CONSUL_HTTP_ADDR"] = $"127.0.0.1:{_registry.Port}" },
        })!;
        var said = await Eventually.EndsAsync(process.StandardOutput.ReadToEndAsync());
        await process.WaitForExitAsync();
        return said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    // Where its own packages lie beside it, built with this project and in the same way.
    private static string Sample([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "samples", "Discovery", Path.GetRelativePath(Path.GetDirectoryName(here)!, AppContext.BaseDirectory), "Weft.Samples.Discovery.dll");

    public async ValueTask DisposeAsync()
    {
        await _one.DisposeAsync();
        await _two.DisposeAsync();
        await _registry.DisposeAsync();
        await _store.DisposeAsync();
    }
}
