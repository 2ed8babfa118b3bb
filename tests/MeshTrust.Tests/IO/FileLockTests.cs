using MeshTrust.IO;
using Microsoft.Extensions.Time.Testing;

namespace MeshTrust.Tests.IO;

public sealed class FileLockTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private string _path = "";

    [SetUp]
    public void CreateDirectory() => _path = Path.Combine(Directory.CreateTempSubdirectory("meshtrust-test-").FullName, "lock");

    [TearDown]
    public void RemoveDirectory()
    {
        if (_path.Length > 0) Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);
    }

    [Test]
    public void Only_one_holder_at_a_time_and_the_next_acquires_it()
    {
        Assert.That(FileLock.IsHeld(_path), Is.False, "there is no file yet");
        using (var first = FileLock.TryTake(_path))
        {
            Assert.That(first, Is.Not.Null);
            Assert.That(FileLock.TryTake(_path), Is.Null);
            Assert.That(FileLock.IsHeld(_path), Is.True);
        }

        Assert.That(FileLock.IsHeld(_path), Is.False);
        using var second = FileLock.TryTake(_path);
        Assert.That(second, Is.Not.Null);
        if (!OperatingSystem.IsWindows()) Assert.That(File.GetUnixFileMode(_path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public async Task Waits_for_another_holder_says_so_once_and_gives_up_at_the_deadline()
    {
        var time = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.FromSeconds(1) };
        var hints = 0;
        using (FileLock.TryTake(_path))
        {
            var waiting = FileLock.TakeAsync(_path, Limit, () => new TimeoutException("the other works"), time, CancellationToken.None, () => hints++);
            while (!waiting.IsCompleted)
            {
                time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
            }

            Assert.That(async () => await waiting, Throws.TypeOf<TimeoutException>().With.Message.EqualTo("the other works"));
            Assert.That(hints, Is.EqualTo(1));
        }

        using var taken = await FileLock.TakeAsync(_path, Limit, () => new TimeoutException(), time, CancellationToken.None, () => hints++);
        Assert.That(hints, Is.EqualTo(1), "it is no longer held");
    }

    [Test]
    public void A_missing_directory_is_not_a_held_lock() =>
        Assert.That(() => FileLock.TryTake(Path.Combine(_path, "nowhere")), Throws.TypeOf<DirectoryNotFoundException>());
}
