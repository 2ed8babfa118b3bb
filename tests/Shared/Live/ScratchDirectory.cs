namespace MeshTrust.Tests.Live;

/// <summary>A directory of one test, removed at its end.</summary>
internal sealed class ScratchDirectory : IDisposable
{
    public string Location { get; } = Directory.CreateTempSubdirectory("meshtrust-").FullName;

    public string File(string name) => Path.Combine(Location, name);

    public string Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File(name))!);
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    public void Dispose()
    {
        try { Directory.Delete(Location, recursive: true); }
        catch (IOException) { /* a child that is still ending; the system's own cleaning takes it */ }
    }
}
