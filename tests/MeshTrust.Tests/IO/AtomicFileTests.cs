using MeshTrust.IO;

namespace MeshTrust.Tests.IO;

public sealed class AtomicFileTests
{
    private string _directory = "";

    [SetUp]
    public void CreateDirectory() => _directory = Directory.CreateTempSubdirectory("meshtrust-test-").FullName;

    [TearDown]
    public void RemoveDirectory()
    {
        if (_directory.Length > 0) Directory.Delete(_directory, recursive: true);
    }

    private string PathOf(string name) => Path.Combine(_directory, name);

    private IEnumerable<string?> Names => Directory.EnumerateFiles(_directory).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    [Test]
    public void Writes_the_whole_file_and_leaves_no_temporary_file()
    {
        AtomicFile.Replace(PathOf("a"), "one"u8, secret: false);
        AtomicFile.Replace(PathOf("a"), "two"u8, secret: false);
        Assert.That(File.ReadAllText(PathOf("a")), Is.EqualTo("two"));
        Assert.That(Names, Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public void Does_not_write_an_unchanged_file()
    {
        Assert.That(AtomicFile.ReplaceIfChanged(PathOf("a"), "one"u8, secret: true), Is.True);
        Assert.That(AtomicFile.ReplaceIfChanged(PathOf("a"), "one"u8, secret: true), Is.False);
        Assert.That(AtomicFile.ReplaceIfChanged(PathOf("a"), "two"u8, secret: true), Is.True);
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "file modes are Unix's")]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void Restricts_the_mode_of_a_secret_that_others_can_read()
    {
        AtomicFile.Replace(PathOf("a"), "one"u8, secret: true);
        Assert.That(File.GetUnixFileMode(PathOf("a")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        File.SetUnixFileMode(PathOf("a"), UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.That(AtomicFile.ReplaceIfChanged(PathOf("a"), "one"u8, secret: true), Is.True);
        Assert.That(File.GetUnixFileMode(PathOf("a")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public void Leaves_nothing_behind_if_a_write_fails()
    {
        Directory.CreateDirectory(PathOf("a/stands/here"));
        Assert.That(() => AtomicFile.Replace(PathOf("a"), "one"u8, secret: false), Throws.InstanceOf<IOException>().Or.InstanceOf<UnauthorizedAccessException>());
        Assert.That(Names, Is.Empty);
    }

    [Test]
    public void Sweeps_what_a_killed_run_left_and_nothing_else()
    {
        foreach (var name in new[] { ".a-0123.meshtrust.tmp", "a", "a.tmp", ".meshtrust-root-cert.pem-0123.tmp" }) File.WriteAllText(PathOf(name), "half");
        AtomicFile.Sweep(_directory);
        Assert.That(Names, Is.EqualTo(new[] { ".meshtrust-root-cert.pem-0123.tmp", "a", "a.tmp" }), "the store's own recovery needs its files; the rest is the user's");
        Assert.That(() => AtomicFile.Sweep(PathOf("nowhere")), Throws.Nothing);
    }

    [Test]
    public void Leaves_temporary_files_of_a_live_run_alone()
    {
        var path = PathOf(".a-0123.meshtrust.tmp");
        using (new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Delete))
        {
            AtomicFile.Sweep(_directory);
            Assert.That(File.Exists(path), Is.True);
        }

        AtomicFile.Sweep(_directory);
        Assert.That(File.Exists(path), Is.False, "its writer is gone");
    }

    [Test]
    public async Task Writers_and_sweepers_do_not_disturb_each_other()
    {
        var contents = Enumerable.Range(0, 4).Select(i => Enumerable.Repeat((byte)('a' + i), 20_000).ToArray()).ToList();
        var writers = contents.Select(content => Task.Run(() =>
        {
            for (var i = 0; i < 200; i++) AtomicFile.Replace(PathOf("a"), content, secret: true);
        })).ToList();
        using var written = new CancellationTokenSource();
        var sweepers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            while (!written.IsCancellationRequested) AtomicFile.Sweep(_directory);
        })).ToList();

        Assert.That(async () => await Task.WhenAll(writers), Throws.Nothing);
        await written.CancelAsync();
        await Task.WhenAll(sweepers);

        Assert.That(contents.Any(content => content.SequenceEqual(File.ReadAllBytes(PathOf("a")))), Is.True, "one of them, whole");
        Assert.That(Names, Is.EqualTo(new[] { "a" }));
    }
}
