using Weft.Proxy.Config.Model;
using Weft.Proxy.Configuration;
using Weft.Testing;

namespace Weft.Proxy.Tests.Configuration;

public sealed class FileChangesTests : IDisposable
{
    private readonly TempDir _directory = new();

    public static TheoryData<string> Named => ["chain", "key", "clients", "authorities", "jwks", "keys", "users", "header"];

    [Fact]
    public void All_files_that_a_configuration_names_are_looked_at() => Assert.Equal(Named.Select(row => row.Data).Order(), FileChanges.Named(Config).Select(Path.GetFileName).Order());

    [Theory]
    [MemberData(nameof(Named))]
    public void A_file_that_is_written_is_a_change(string name)
    {
        Write(name, "one");
        var changes = new FileChanges(At("site.yaml"));
        changes.LookAtNew(Config);
        Assert.False(changes.Look(Config));
        Write(name, "other");
        Assert.True(changes.Look(Config));
        Assert.False(changes.Look(Config));
        File.Delete(At(name));
        Assert.True(changes.Look(Config));
    }

    /// <summary>As the volume of a Secret is renewed: the file's path leads through a link to a directory, and that is turned.</summary>
    [Fact]
    public void A_link_that_leads_elsewhere_is_a_change()
    {
        foreach (var version in new[] { "1", "2" })
        {
            Directory.CreateDirectory(At(version));
            File.WriteAllText(Path.Combine(At(version), "key"), "same length");
            File.SetLastWriteTimeUtc(Path.Combine(At(version), "key"), DateTime.UnixEpoch.AddDays(int.Parse(version, System.Globalization.CultureInfo.InvariantCulture)));
        }

        Directory.CreateSymbolicLink(At("data"), "1");
        File.CreateSymbolicLink(At("key"), Path.Combine("data", "key"));
        var changes = new FileChanges(At("site.yaml"));
        changes.LookAtNew(Config);
        Assert.False(changes.Look(Config));
        Directory.CreateSymbolicLink(At("new"), "2");
        Directory.Delete(At("data"));
        Directory.Move(At("new"), At("data"));
        Assert.True(changes.Look(Config));
    }

    public void Dispose() => _directory.Dispose();

    private ProxyConfig Config => new()
    {
        Certificates = [new CertificateConfig { Name = "own", Chain = Of("chain"), Key = Of("key") }],
        Listeners = [new ListenerConfig { Name = "l", Tls = new ListenerTls { ClientAuthorities = Of("clients") }, Filters = [new ApiKeyFilter { KeyFile = Of("keys") }] }],
        Clusters = [new ClusterConfig { Name = "c", Tls = new UpstreamTls { Authorities = Of("authorities") } }],
        JwtProviders = [new JwtProviderConfig { Name = "p", Jwks = Of("jwks") }],
        RouteTables = [new RouteTableConfig { Hosts = [new VirtualHostConfig { Routes = [new RouteConfig { Filters = [new BasicAuthFilter { Users = Of("users") }] }] }] }],
        Tracing = new TracingConfig { Headers = [new SecretHeader("authorization", Of("header"))] },
    };

    private DataSource Of(string name) => new() { File = At(name) };

    private string At(string name) => Path.Combine(_directory.Path, name);

    private void Write(string name, string text) => File.WriteAllText(At(name), text);
}
