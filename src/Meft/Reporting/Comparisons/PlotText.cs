using System.Net;
using System.Xml;

namespace Meft.Reporting.Comparisons;

/// <summary>Words within a picture.</summary>
internal static class PlotText
{
    /// <summary>The size of letters, in units of the picture.</summary>
    public const double Size = 12;

    /// <summary>The height of a line, in units of the picture.</summary>
    public const double Line = 15;

    /// <summary>A text as XML, without what XML has no place for.</summary>
    public static string Xml(string text) => WebUtility.HtmlEncode(string.Concat(text.EnumerateRunes().Select(
        r => r.Value > char.MaxValue || XmlConvert.IsXmlChar((char)r.Value) ? r.ToString() : " ")));

    /// <summary>About how wide a text is in a sans-serif type, rather too wide than too narrow.</summary>
    public static double Width(string text)
    {
        double em = 0;
        foreach (var c in text)
        {
            em += c switch
            {
                'i' or 'j' or 'l' or '.' or ',' or ':' or ';' or '|' or '!' or '\'' or 'I' => 0.3,
                ' ' or 'f' or 't' or 'r' or '(' or ')' or '[' or ']' or '-' or '/' => 0.38,
                'm' or 'w' or 'M' or 'W' or '%' => 0.9,
                >= '0' and <= '9' => 0.64,
                >= 'A' and <= 'Z' => 0.69,
                _ => 0.58,
            };
        }
        return Size * em;
    }
}
