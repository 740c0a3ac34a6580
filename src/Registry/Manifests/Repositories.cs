using System.Text;
using Weft.Registry.Blobs;
using Weft.Registry.Names;

namespace Weft.Registry.Manifests;

/// <summary>
/// Which manifests and tags each repository has, as small files: `HOST/PATH/_manifests/HEX` holds the media type, `HOST/PATH/_tags/TAG` the digest.
/// No part of a repository's name begins with '_'.
/// </summary>
internal sealed class Repositories
{
    private readonly string _root;
    private readonly BlobStore _blobs;
    private readonly TimeProvider _time;

    internal Repositories(string root, BlobStore blobs, TimeProvider time)
    {
        (_root, _blobs, _time) = (Path.Combine(root, "repositories"), blobs, time);
        Directory.CreateDirectory(_root);
    }

    /// <summary>The manifest that a tag or digest names here, with its media type.</summary>
    internal (Digest Digest, string MediaType)? Find(RepositoryName repository, string reference)
    {
        if ((Digest.TryParse(reference) ?? ReadTag(repository, reference)) is not { } digest || ReadText(ManifestFile(repository, digest)) is not { } type)
            return null;
        return (digest, type);
    }

    internal void Put(RepositoryName repository, Digest digest, string mediaType) =>
        DurableFiles.Write(ManifestFile(repository, digest), _blobs.NewTemporary(), Encoding.ASCII.GetBytes(mediaType));

    internal void PutTag(RepositoryName repository, string tag, Digest digest) =>
        DurableFiles.Write(TagFile(repository, tag), _blobs.NewTemporary(), Encoding.ASCII.GetBytes(digest.ToString()));

    /// <summary>A manifest that is asked for is in use: the collector's grace begins anew.</summary>
    internal void Touch(RepositoryName repository, Digest digest)
    {
        try
        {
            File.SetLastWriteTimeUtc(ManifestFile(repository, digest), _time.GetUtcNow().UtcDateTime);
        }
        catch (IOException)
        {
            // It was deleted meanwhile.
        }
    }

    internal DateTimeOffset LastUse(RepositoryName repository, Digest digest) => new(File.GetLastWriteTimeUtc(ManifestFile(repository, digest)), TimeSpan.Zero);

    internal bool RemoveTag(RepositoryName repository, string tag)
    {
        if (!Tags.IsValid(tag) || !File.Exists(TagFile(repository, tag)))
            return false;
        File.Delete(TagFile(repository, tag));
        RemoveEmpty(repository);
        return true;
    }

    internal bool RemoveManifest(RepositoryName repository, Digest digest)
    {
        if (!File.Exists(ManifestFile(repository, digest)))
            return false;
        // Tags first: a tag without its manifest would be a name that leads nowhere.
        foreach (var tag in TagsOf(repository).Where(tag => ReadTag(repository, tag) == digest).ToList())
            File.Delete(TagFile(repository, tag));
        File.Delete(ManifestFile(repository, digest));
        RemoveEmpty(repository);
        return true;
    }

    internal bool Exists(RepositoryName repository) => Directory.Exists(Path.Combine(Folder(repository), "_manifests"));

    internal IReadOnlyList<string> TagsOf(RepositoryName repository) => Names(Path.Combine(Folder(repository), "_tags"));

    internal Digest? ReadTag(RepositoryName repository, string tag) => Tags.IsValid(tag) ? Digest.TryParse(ReadText(TagFile(repository, tag))) : null;

    internal IReadOnlyList<Digest> ManifestsOf(RepositoryName repository) =>
        [.. Names(Path.Combine(Folder(repository), "_manifests")).Select(hex => Digest.TryParse("sha256:" + hex)).OfType<Digest>()];

    /// <summary>Every repository with a manifest, by name.</summary>
    internal IReadOnlyList<RepositoryName> All() =>
    [
        .. Directory.EnumerateDirectories(_root, "_manifests", SearchOption.AllDirectories)
            .Select(folder => Path.GetRelativePath(_root, Path.GetDirectoryName(folder)!))
            .Select(name => name.IndexOf('/') is var slash and > 0 ? RepositoryName.TryParse(name[(slash + 1)..], name[..slash]) : null)
            .OfType<RepositoryName>().OrderBy(repository => repository.Full, StringComparer.Ordinal),
    ];

    // From the inside out, as far as nothing else is in there.
    private void RemoveEmpty(RepositoryName repository)
    {
        var folder = Folder(repository);
        foreach (var inner in new[] { Path.Combine(folder, "_tags"), Path.Combine(folder, "_manifests") })
        {
            if (Directory.Exists(inner) && !Directory.EnumerateFileSystemEntries(inner).Any())
                Directory.Delete(inner);
        }

        for (var up = folder; up.Length > _root.Length && Directory.Exists(up) && !Directory.EnumerateFileSystemEntries(up).Any(); up = Path.GetDirectoryName(up)!)
            Directory.Delete(up);
    }

    private static string[] Names(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private static string? ReadText(string path)
    {
        try
        {
            return File.ReadAllText(path, Encoding.ASCII);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private string Folder(RepositoryName repository) => Path.Combine(_root, repository.Host, repository.Path);

    private string TagFile(RepositoryName repository, string tag) => Path.Combine(Folder(repository), "_tags", tag);

    private string ManifestFile(RepositoryName repository, Digest digest) => Path.Combine(Folder(repository), "_manifests", digest.Hex);
}
