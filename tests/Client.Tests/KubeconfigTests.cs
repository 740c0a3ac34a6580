using System.Text;
using Weft.Testing;

namespace Weft.Client.Tests;

public sealed class KubeconfigTests : IDisposable
{
    private const string Text = """
        apiVersion: v1
        kind: Config
        current-context: dev
        clusters:
        - name: local
          cluster:
            server: https://127.0.0.1:6443
            certificate-authority: ca.pem
        - name: odd
          cluster: {server: "ftp://x"}
        contexts:
        - name: dev
          context: {cluster: local, user: me, namespace: team}
        - name: token
          context: {cluster: local, user: bearer}
        - name: cloud
          context: {cluster: local, user: cloud}
        - name: odd
          context: {cluster: odd, user: me}
        - name: lost
          context: {cluster: nowhere, user: me}
        users:
        - name: me
          user:
            client-certificate-data: Y2VydA==
            client-key-data: a2V5
        - name: bearer
          user: {tokenFile: token}
        - name: cloud
          user: {exec: {command: aws}}
        """;

    private readonly TempDir _dir = new();

    public KubeconfigTests()
    {
        File.WriteAllText(_dir.File("config"), Text);
        File.WriteAllText(_dir.File("ca.pem"), "authority");
        File.WriteAllText(_dir.File("token"), "secret\n");
    }

    public void Dispose() => _dir.Dispose();

    private Kubeconfig Load() => Kubeconfig.Load(_dir.File("config"), null, _dir.Path);

    [Fact]
    public void The_current_context_gives_server_authority_and_credentials()
    {
        var access = Load().Access();
        Assert.Equal("https://127.0.0.1:6443/", access.Server.AbsoluteUri);
        Assert.Equal(("team", "authority", "cert", "key"), (access.Namespace, access.CertificateAuthorityPem, access.ClientCertificatePem, access.ClientKeyPem));
        Assert.DoesNotContain("key", access.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_context_may_be_named_and_files_are_relative_to_the_config()
    {
        var access = Load().Access("token");
        Assert.Equal("secret", access.Token);
        Assert.Equal("default", access.Namespace);
    }

    [Theory]
    [InlineData("cloud", "uses 'exec', which is not supported")]
    [InlineData("odd", "no http or https address")]
    [InlineData("lost", "has no cluster named 'nowhere'")]
    [InlineData("unknown", "has no context named 'unknown'")]
    public void What_cannot_be_used_says_why(string context, string why) =>
        Assert.Contains(why, Assert.Throws<KubeconfigException>(() => Load().Access(context)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_file_is_the_one_named_then_the_variables_then_the_homes()
    {
        Assert.Throws<KubeconfigException>(() => Kubeconfig.Load(_dir.File("none"), _dir.File("config"), _dir.Path));
        var variable = string.Join(Path.PathSeparator, _dir.File("none"), _dir.File("config"));
        Assert.Equal("dev", Kubeconfig.Load(null, variable, _dir.Path).CurrentContext);
        Directory.CreateDirectory(_dir.File(".kube"));
        File.WriteAllText(Path.Combine(_dir.Path, ".kube", "config"), "current-context: home");
        Assert.Equal("home", Kubeconfig.Load(null, null, _dir.Path).CurrentContext);
    }

    [Fact]
    public void Broken_material_is_refused_without_being_shown()
    {
        var broken = Kubeconfig.Parse(Text.Replace("a2V5", "not base64!", StringComparison.Ordinal), _dir.File("config"));
        var refused = Assert.Throws<KubeconfigException>(() => broken.Access());
        Assert.Contains("client-key-data is not base64", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("not base64!", refused.Message, StringComparison.Ordinal);
        Assert.Throws<KubeconfigException>(() => Kubeconfig.Parse("- a list", "x"));
        Assert.Contains("no matching PEM pair", Assert.Throws<KubeconfigException>(() => Load().Access().CreateHandler()).Message, StringComparison.Ordinal);
    }
}
