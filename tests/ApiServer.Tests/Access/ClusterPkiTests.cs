using System.Net;
using System.Security.Cryptography.X509Certificates;
using Weft.ApiServer.Certificates;
using Weft.Testing;

namespace Weft.ApiServer.Tests.Access;

public sealed class ClusterPkiTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("weft-pki-").FullName;
    private readonly ManualTime _time = new();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private PkiOptions Options => new(Path.Combine(_directory, "pki")) { ServerNames = ["box"], ServerAddresses = [IPAddress.Parse("127.0.0.9")] };

    [Fact]
    public void A_second_load_keeps_every_key()
    {
        using var first = ClusterPki.LoadOrCreate(Options, _time);
        var client = first.LoadOrIssueClient("admin", "admin", ["system:masters"]);
        using var second = ClusterPki.LoadOrCreate(Options, _time);

        Assert.Equal(first.AuthorityPem, second.AuthorityPem);
        Assert.Equal(first.ServerCertificate.Thumbprint, second.ServerCertificate.Thumbprint);
        Assert.Equal(first.ServiceAccountKey.KeyId, second.ServiceAccountKey.KeyId);
        Assert.Equal(client, second.LoadOrIssueClient("admin", "admin", ["system:masters"]));
        Assert.NotEqual(client, second.LoadOrIssueClient("admin", "admin", ["other"]));
    }

    [Fact]
    public void The_server_certificate_names_the_service_the_machine_and_loopback_and_is_backdated()
    {
        using var pki = ClusterPki.LoadOrCreate(Options, _time);
        var alternatives = pki.ServerCertificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single();

        Assert.Equal(
            ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost", "box"],
            alternatives.EnumerateDnsNames());
        Assert.Equal(["10.96.0.1", "127.0.0.1", "::1", "127.0.0.9"], alternatives.EnumerateIPAddresses().Select(a => a.ToString()));
        Assert.Equal(_time.GetUtcNow().AddMinutes(-5), pki.ServerCertificate.NotBefore);
    }

    [Fact]
    public void A_new_address_gives_a_new_server_certificate_of_the_same_authority()
    {
        using var first = ClusterPki.LoadOrCreate(Options, _time);
        using var second = ClusterPki.LoadOrCreate(Options with { ServerAddresses = [IPAddress.Parse("127.0.0.10")] }, _time);

        Assert.NotEqual(first.ServerCertificate.Thumbprint, second.ServerCertificate.Thumbprint);
        Assert.Equal(first.AuthorityPem, second.AuthorityPem);
    }

    [Fact]
    public void Certificates_are_renewed_in_the_last_third_of_their_life()
    {
        using var pki = ClusterPki.LoadOrCreate(Options, _time);
        var client = pki.LoadOrIssueClient("admin", "admin", []);

        _time.Advance(TimeSpan.FromDays(200));
        Assert.False(pki.RenewIfDue());
        Assert.Equal(client, pki.LoadOrIssueClient("admin", "admin", []));

        _time.Advance(TimeSpan.FromDays(60));
        Assert.True(pki.RenewIfDue());
        Assert.False(pki.RenewIfDue());
        Assert.NotEqual(client, pki.LoadOrIssueClient("admin", "admin", []));
        using var restarted = ClusterPki.LoadOrCreate(Options, _time);
        Assert.Equal(pki.ServerCertificate.Thumbprint, restarted.ServerCertificate.Thumbprint);
    }

    [Fact]
    public async Task A_running_server_gets_its_new_certificate_in_time()
    {
        using var pki = ClusterPki.LoadOrCreate(Options, _time);
        var first = pki.ServerCertificate.Thumbprint;
        using var stop = new CancellationTokenSource();
        var loop = pki.KeepFreshAsync(stop.Token);
        await Eventually.TrueAsync(() => _time.PendingTimers > 0);
        _time.Advance(TimeSpan.FromDays(260));

        await Eventually.TrueAsync(() => pki.ServerCertificate.Thumbprint != first);
        await stop.CancelAsync();
        await Eventually.EndsAsync(loop);
    }

    [Fact]
    public async Task Certificates_that_cannot_be_written_are_good_to_their_end_and_are_renewed_when_they_can()
    {
        using var pki = ClusterPki.LoadOrCreate(Options, _time);
        var (first, client) = (pki.ServerCertificate.Thumbprint, pki.LoadOrIssueClient("admin", "admin", []));
        // What keeps a file from being written is in the way here, and is not on every machine a full disk.
        var inTheWay = new[] { "server.pem.new", "clients/admin.pem.new" }.Select(name => Directory.CreateDirectory(Path.Combine(Options.Directory, name))).ToList();
        using var stop = new CancellationTokenSource();
        var loop = pki.KeepFreshAsync(stop.Token);
        await Eventually.TrueAsync(() => _time.PendingTimers == 1);

        _time.Advance(TimeSpan.FromDays(260));
        await Eventually.TrueAsync(() => _time.PendingTimers == 1);
        Assert.False(loop.IsCompleted);
        Assert.Equal(client, pki.LoadOrIssueClient("admin", "admin", []));
        using (var restarted = ClusterPki.LoadOrCreate(Options, _time))
            Assert.Equal(first, restarted.ServerCertificate.Thumbprint);
        Assert.ThrowsAny<SystemException>(() => pki.LoadOrIssueClient("admin", "another", []));

        inTheWay.ForEach(way => way.Delete());
        _time.Advance(TimeSpan.FromHours(6));
        await Eventually.TrueAsync(() => pki.ServerCertificate.Thumbprint != first);
        Assert.NotEqual(client, pki.LoadOrIssueClient("admin", "admin", []));
        await stop.CancelAsync();
        await Eventually.EndsAsync(loop);
    }

    [Fact]
    public void Key_files_are_for_their_owner_alone()
    {
        using var pki = ClusterPki.LoadOrCreate(Options, _time);
        pki.LoadOrIssueClient("admin", "admin", []);

        var files = Directory.GetFiles(Options.Directory, "*", SearchOption.AllDirectories);
        Assert.Equal(["admin.pem", "ca.crt", "ca.pem", "sa.key", "server.pem"], files.Select(Path.GetFileName).Order());
        Assert.All(files, f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Options.Directory));
    }

    [Fact]
    public void A_crash_half_way_through_a_write_harms_nothing()
    {
        using var first = ClusterPki.LoadOrCreate(Options, _time);
        File.WriteAllText(Path.Combine(Options.Directory, "server.pem.new"), "half a k");
        File.Delete(Path.Combine(Options.Directory, "server.pem"));

        using var second = ClusterPki.LoadOrCreate(Options, _time);
        Assert.Equal(first.AuthorityPem, second.AuthorityPem);
        Assert.False(File.Exists(Path.Combine(Options.Directory, "server.pem.new")));
    }

    [Fact]
    public void A_damaged_key_file_is_named_and_never_replaced()
    {
        ClusterPki.LoadOrCreate(Options, _time).Dispose();
        var path = Path.Combine(Options.Directory, "sa.key");
        File.WriteAllText(path, "garbage");

        var error = Assert.Throws<PkiException>(() => ClusterPki.LoadOrCreate(Options, _time));
        Assert.Contains("sa.key", error.Message, StringComparison.Ordinal);
        Assert.Equal("garbage", File.ReadAllText(path));
    }
}
