using System.Globalization;

namespace MeshTrust.Pki;

/// <summary>The names of replaced files: <c>ca-key.pem.20261130T045533120Z.old</c>, beside the file that took their place.</summary>
internal static class ReplacedFile
{
    private const string TimeFormat = "yyyyMMdd'T'HHmmssfff'Z'";
    private const string Suffix = ".old";

    /// <summary>A path that nothing has yet.</summary>
    internal static string PathFor(string place, DateTimeOffset now)
    {
        var stamp = now.UtcDateTime;
        while (true)
        {
            var path = $"{place}.{stamp.ToString(TimeFormat, CultureInfo.InvariantCulture)}{Suffix}";
            if (!Path.Exists(path)) return path;
            stamp = stamp.AddMilliseconds(1);
        }
    }

    /// <summary>The files of such names in a directory that were replaced before a moment.</summary>
    internal static IEnumerable<string> In(string directory, DateTimeOffset before)
    {
        if (!Directory.Exists(directory)) return [];
        return CacertsFile.OfCluster.SelectMany(file => Directory.EnumerateFiles(directory, $"{file}.*{Suffix}").Where(path => TimeOf(path, file) is { } time && time < before));
    }

    private static DateTimeOffset? TimeOf(string path, string file) =>
        DateTimeOffset.TryParseExact(Path.GetFileName(path)[(file.Length + 1)..^Suffix.Length], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
