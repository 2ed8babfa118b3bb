namespace MeshTrust.Settings;

/// <summary>What is wrong with a value, wherever it came from.</summary>
internal sealed record Complaint(ComplaintKind Kind, string Message, string Hint)
{
    /// <summary>The id where the value stood in an argument or a variable.</summary>
    public string ArgumentId => Kind switch
    {
        ComplaintKind.Number => "MT0004",
        ComplaintKind.Choice => "MT0005",
        ComplaintKind.Duration => "MT0006",
        ComplaintKind.Switch => "MT0007",
        ComplaintKind.KeySize => "MT0014",
        ComplaintKind.Provider => "MT0016",
        ComplaintKind.LineEnd => "MT0020",
        ComplaintKind.Content => "MT0021",
        _ => "MT0009",
    };

    /// <summary>The id where the value stood in a topology file.</summary>
    public string FileId => Kind switch
    {
        ComplaintKind.Range => "MT0115",
        ComplaintKind.Provider => "MT0117",
        _ => "MT0105",
    };
}
