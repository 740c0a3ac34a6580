using Weft.Registry.Names;

namespace Weft.Registry.Tests.Names;

public sealed class RepositoryNameTests
{
    [Theory]
    [InlineData("nginx", null, "docker.io/library/nginx", "nginx")]
    [InlineData("library/nginx", null, "docker.io/library/nginx", "nginx")]
    [InlineData("library/nginx", "docker.io", "docker.io/library/nginx", "nginx")]
    [InlineData("library/nginx", "registry-1.docker.io", "docker.io/library/nginx", "nginx")]
    [InlineData("docker.io/library/nginx", null, "docker.io/library/nginx", "nginx")]
    [InlineData("index.docker.io/nginx", null, "docker.io/library/nginx", "nginx")]
    [InlineData("team/app", null, "docker.io/team/app", "team/app")]
    [InlineData("quay.io/a/b", null, "quay.io/a/b", "quay.io/a/b")]
    [InlineData("a/b", "quay.io", "quay.io/a/b", "quay.io/a/b")]
    [InlineData("localhost/x", null, "localhost/x", "localhost/x")]
    [InlineData("registry.local:8443/x", null, "registry.local:8443/x", "registry.local:8443/x")]
    // An image that names this registry itself is the image without that.
    [InlineData("x", "127.0.0.1:5000", "docker.io/library/x", "x")]
    [InlineData("quay.io/a/b", "127.0.0.1:5000", "quay.io/a/b", "quay.io/a/b")]
    [InlineData("127.0.0.1:5000/x", null, "docker.io/library/x", "x")]
    // Another registry of this machine is another one.
    [InlineData("x", "127.0.0.1:5999", "127.0.0.1:5999/x", "127.0.0.1:5999/x")]
    public void Names_mean_what_docker_means_by_them(string name, string? origin, string full, string familiar)
    {
        var repository = RepositoryName.TryParse(name, origin, ["127.0.0.1:5000", "localhost:5000"]);
        Assert.Equal((full, familiar), (repository?.Full, repository?.Familiar));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData("a//b")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("_manifests")]
    [InlineData("a/_tags")]
    [InlineData("A")]
    [InlineData("a b")]
    [InlineData("a\0")]
    [InlineData("a\n")]
    [InlineData("a...b")]
    [InlineData("quay.io/")]
    [InlineData("-.io/a")]
    public void What_could_leave_the_directory_is_no_name(string name)
    {
        Assert.Null(RepositoryName.TryParse(name));
        Assert.Null(RepositoryName.TryParse("a", name.Length == 0 ? ".." : name + "/.."));
    }

    [Fact]
    public void A_name_has_at_most_255_characters()
    {
        Assert.NotNull(RepositoryName.TryParse("quay.io/" + new string('a', 247)));
        Assert.Null(RepositoryName.TryParse("quay.io/" + new string('a', 248)));
    }

    [Theory]
    [InlineData("nginx", "docker.io/library/nginx:latest")]
    [InlineData("my-app:1.0", "docker.io/library/my-app:1.0")]
    [InlineData("localhost:5000/a", "localhost:5000/a:latest")]
    [InlineData("quay.io/a/b:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "quay.io/a/b@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void A_reference_has_a_tag_or_a_digest(string text, string full) => Assert.Equal(full, ImageReference.TryParse(text)?.ToString());

    [Theory]
    [InlineData("a:")]
    [InlineData("a:-x")]
    [InlineData("a@sha256:1")]
    [InlineData("a@md5:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData(":1")]
    public void What_is_no_reference_is_refused(string text) => Assert.Null(ImageReference.TryParse(text));
}
