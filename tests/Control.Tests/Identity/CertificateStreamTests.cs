using System.Security.Cryptography;
using Weft.Control.Identity;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Transport;
using Weft.Testing;

namespace Weft.Control.Tests.Identity;

public sealed class CertificateStreamTests : IAsyncDisposable
{
    private static readonly WorkloadAccount Web = new("shop", "web"), Other = new("shop", "other");
    private readonly CertificateBed _bed = new();

    [Fact]
    public async Task The_bundle_comes_first_and_a_certificate_for_an_account_of_the_node()
    {
        _bed.Place("n1", Web);
        var channel = await ChannelAsync("n1");
        Assert.Equal(new TrustBundle(1, "cluster.local", _bed.Authority.Bundle.Roots), (await ReceiveAsync(channel)).Bundle);
        var (key, request) = TestRoots.Request();
        using (key)
        {
            var answer = await AskAsync(channel, Web, request);
            Assert.Equal(200, answer.Status);
            MeshAuthorityTests.AssertTrusted(_bed.Authority.Bundle.Roots, answer.Chain!, _bed.Time.GetUtcNow());
        }
    }

    [Fact]
    public async Task An_account_that_is_not_at_work_on_the_node_is_refused()
    {
        _bed.Place("n2", Web);
        var channel = await ChannelAsync("n1");
        await ReceiveAsync(channel);
        var (key, request) = TestRoots.Request();
        using (key)
        {
            var answer = await AskAsync(channel, Web, request);
            Assert.Equal((403, null), (answer.Status, answer.Chain));
            Assert.False(_bed.Authority.State.Signer!.HasSigned);

            _bed.Place("n1", Web);
            Assert.Equal(200, (await AskAsync(channel, Web, request)).Status);
            _bed.Remove("n1", Web);
            Assert.Equal(403, (await AskAsync(channel, Web, request)).Status);
        }
    }

    [Theory]
    [InlineData("web/../../x")]
    [InlineData("")]
    public async Task What_is_no_account_is_refused(string name)
    {
        _bed.Place("n1", new("shop", name));
        var channel = await ChannelAsync("n1");
        await ReceiveAsync(channel);
        var (key, request) = TestRoots.Request();
        using (key)
            Assert.Equal(400, (await AskAsync(channel, new("shop", name), request)).Status);
    }

    [Fact]
    public async Task Broken_requests_are_answered_and_the_stream_goes_on()
    {
        _bed.Place("n1", Web);
        var channel = await ChannelAsync("n1");
        await ReceiveAsync(channel);
        Assert.Equal(400, (await AskAsync(channel, Web, "no request")).Status);
        Assert.Equal(400, (await AskAsync(channel, Web, PemEncoding.WriteString("CERTIFICATE REQUEST", [1, 2, 3]))).Status);
        var (key, request) = TestRoots.Request();
        using (key)
            Assert.Equal(200, (await AskAsync(channel, Web, request)).Status);
    }

    [Fact]
    public async Task A_node_that_asks_without_end_is_slowed_down_also_by_new_connections()
    {
        _bed.Place("n1", Web);
        _bed.Place("n2", Web);
        var (key, request) = TestRoots.Request();
        using (key)
        {
            var channel = await ChannelAsync("n1");
            await ReceiveAsync(channel);
            for (var i = 0; i < SigningLimits.Burst; i++)
                Assert.Equal(403, (await AskAsync(channel, Other, request)).Status);
            Assert.Equal(429, (await AskAsync(channel, Web, request)).Status);
            var again = await ChannelAsync("n1");
            await ReceiveAsync(again);
            Assert.Equal(429, (await AskAsync(again, Web, request)).Status);
            var neighbour = await ChannelAsync("n2");
            await ReceiveAsync(neighbour);
            Assert.Equal(200, (await AskAsync(neighbour, Web, request)).Status);

            _bed.Time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(200, (await AskAsync(again, Web, request)).Status);
        }
    }

    [Fact]
    public async Task A_changed_bundle_is_pushed()
    {
        _bed.Place("n1", Web);
        var channel = await ChannelAsync("n1");
        await ReceiveAsync(channel);
        var (key, request) = TestRoots.Request();
        using (key)
            await AskAsync(channel, Web, request);
        _bed.Authority.Import(ImportedRoot.Read(TestRoots.Cacerts(), _bed.Time.GetUtcNow(), out _));
        Assert.Equal(_bed.Authority.Bundle, (await ReceiveAsync(channel)).Bundle);
    }

    [Fact]
    public async Task A_proxy_gets_its_certificates_and_renews_them_at_half_life_with_a_new_key()
    {
        _bed.Place("n1", Web);
        using var identities = _bed.Identities("n1");
        identities.Want(Web);
        _bed.Follow("n1", identities);
        await _bed.UntilAsync(() => identities.Generation(Web) != 0);
        var first = identities.Generation(Web);
        var key = KeyOnDisk("n1", Web);

        _bed.Time.Advance(TimeSpan.FromHours(24) * 0.38);
        Assert.Equal(first, identities.Generation(Web));
        // What is asked takes a while that only the machine knows, and a step that is too long ends its asking: at the end of the window the steps are short.
        await Eventually.TrueAsync(() =>
        {
            if (identities.Generation(Web) != first)
                return true;
            _bed.Time.Advance(Age() < TimeSpan.FromHours(24) * 0.6 ? TimeSpan.FromMinutes(10) : TimeSpan.FromMilliseconds(50));
            return false;
        });
        Assert.InRange(Age(), TimeSpan.FromHours(24) * 0.38, TimeSpan.FromHours(24) * 0.62);
        Assert.NotEqual(key, KeyOnDisk("n1", Web));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_bed.Directory.File("n1/shop_web.pem")));

        TimeSpan Age() => _bed.Time.GetUtcNow() - ManualTime.Start;
    }

    [Fact]
    public async Task An_account_that_the_server_hears_of_late_is_asked_for_again()
    {
        using var identities = _bed.Identities("n1");
        identities.Want(Web);
        _bed.Follow("n1", identities);
        await Eventually.TrueAsync(() => identities.Bundle is not null);
        _bed.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, identities.Generation(Web));
        _bed.Place("n1", Web);
        await _bed.UntilAsync(() => identities.Generation(Web) != 0);
    }

    [Fact]
    public async Task A_proxy_that_starts_without_the_server_has_what_it_had_until_that_ends()
    {
        _bed.Place("n1", Web);
        using (var before = _bed.Identities("n1"))
        {
            before.Want(Web);
            _bed.Follow("n1", before);
            await _bed.UntilAsync(() => before.Generation(Web) != 0);
        }

        _bed.IsServerThere = false;
        _bed.Cut();
        using var after = _bed.Identities("n1");
        _bed.Follow("n1", after);
        Assert.NotEqual(0, after.Generation(Web));
        _bed.Time.Advance(TimeSpan.FromHours(23));
        Assert.NotEqual(0, after.Generation(Web));
        _bed.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(0, after.Generation(Web));
        Assert.Null(after.Accept(Web, new BufferPool()));

        _bed.IsServerThere = true;
        await _bed.UntilAsync(() => after.Generation(Web) != 0);
    }

    [Fact]
    public void Damaged_files_are_as_good_as_none()
    {
        Directory.CreateDirectory(_bed.Directory.File("n1"));
        File.WriteAllText(_bed.Directory.File("n1/bundle.json"), """{"bundle":{"version":1,"trustDomain":"cluster.local","roots":""}}""");
        File.WriteAllText(_bed.Directory.File("n1/shop_web.pem"), "nothing");
        using var identities = _bed.Identities("n1");
        Assert.Equal(0, identities.Generation(Web));
        Assert.False(File.Exists(_bed.Directory.File("n1/shop_web.pem")));
    }

    [Fact]
    public async Task An_identity_whose_workload_has_gone_is_not_renewed_until_it_comes_back()
    {
        _bed.Place("n1", Web);
        using var identities = _bed.Identities("n1");
        identities.Want(Web);
        _bed.Follow("n1", identities);
        await _bed.UntilAsync(() => identities.Generation(Web) != 0);
        var first = identities.Generation(Web);
        _bed.Remove("n1", Web);
        await _bed.UntilAsync(() => identities.Plan() is { Due.Count: 0, Next: var next } && next == DateTimeOffset.MaxValue, TimeSpan.FromMinutes(10));
        Assert.Equal(first, identities.Generation(Web));

        _bed.Place("n1", Web);
        identities.Want(Web);
        await _bed.UntilAsync(() => identities.Generation(Web) != first);
    }

    private string KeyOnDisk(string node, WorkloadAccount account)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(_bed.Directory.File($"{node}/{account.Namespace}_{account.Name}.pem")));
        return Convert.ToHexString(key.ExportSubjectPublicKeyInfo());
    }

    private async Task<CertificateChannel> ChannelAsync(string node) => new(await _bed.ConnectAsync(node, default), _bed.Time);

    private static Task<CertificateMessage> ReceiveAsync(CertificateChannel channel) => Eventually.EndsAsync(channel.ReceiveAsync(CertificateJson.Default.CertificateMessage, default))!;

    private static async Task<SigningAnswer> AskAsync(CertificateChannel channel, WorkloadAccount account, string request)
    {
        await channel.SendAsync(new SigningRequest(7, account.Namespace, account.Name, request), CertificateJson.Default.SigningRequest, default);
        var answer = (await ReceiveAsync(channel)).Answer!;
        Assert.Equal(7, answer.Id);
        return answer;
    }

    public ValueTask DisposeAsync() => _bed.DisposeAsync();
}
