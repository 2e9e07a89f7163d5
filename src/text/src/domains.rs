//! Recognises domain names. A link without a scheme is recognised by its top-level domain alone.

/// Common generic top-level domains, and those of countries in other scripts.
const GENERIC: &str = "\
    academy agency ai app art asia audio band bar best bet bid bike biz blog boutique build business buzz cafe cam \
    camp capital care cards cash casino cat center chat cheap church city claims cleaning click clinic cloud club \
    coach codes coffee college com community company computer consulting contact cool coop coupons credit cricket \
    dance date dating deals delivery design dev diet digital direct directory discount dog domains download earth \
    edu education email energy engineer equipment estate events exchange expert express fail faith family fan fans \
    farm fashion film finance financial fish fitness flights florist foundation fun fund fyi gallery game games \
    garden gay gift gifts gives glass global gmbh gold golf gov graphics gratis group guide guru haus health help \
    hockey holiday homes horse host hosting house icu inc info ink institute int international investments irish \
    jewelry jobs kim kitchen land law lawyer legal lgbt life lighting limited link live loan loans lol love ltd luxe \
    makeup management market marketing mba media menu mil mobi moda moe mom money monster movie museum music name \
    navy net network new news ninja one ong online onion ooo org page paris partners parts party pet photo \
    photography photos pics pictures pink pizza place plumbing plus poker porn press pro productions promo \
    properties pub quest racing realty recipes red rehab rent rentals repair report republican rest restaurant \
    review reviews rip rocks rodeo run sale salon school science security services sex sexy shoes shop shopping show \
    site ski skin soccer social software solar solutions space sport store stream studio study style sucks supplies \
    support surf surgery systems tattoo tax taxi team tech technology tel tennis theater tickets tips tires today \
    tokyo tools top tours town toys trade trading training travel tube university uno vacations vegas ventures vet \
    video villas vin vip vision vodka vote voyage watch webcam website wedding wiki win wine work works world wtf \
    xxx xyz yoga zip zone \
    рф бел бг мкд мон срб укр қаз ευ ελ 한국 السعودية امارات ایران مصر भारत";

/// Country-code top-level domains.
const COUNTRIES: &str = "\
    ac ad ae af ag al ao aq ar au aw ax az ba bb bd bf bg bh bi bj bm bn bo br bs bt bw by bz ca cd cf cg ch ci ck \
    cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fo fr ga gd ge gf gg gh gi gl \
    gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im io iq ir je jm jo jp ke kg kh ki km kn kp kr kw ky \
    kz la lb lc li lk lr ls lt lu lv ly ma mc mg mh mn mo mp mq mr ms mt mu mv mw mx mz na nc ne nf ng ni nl np nr \
    nu nz om pa pe pf pg ph pk pn pr pt pw qa ro ru rw sa sb sc sd se sg si sk sl sm sn sr ss su sv sx sy sz tc td \
    tf tg th tj tk tl tm tn tr tt tv tw tz ua ug uk uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw";

/// Top-level domains that are also file extensions or English words. A name that ends in one is a
/// link only with a path, a port or a leading `www.`.
const AMBIGUOUS: &str = "am as at be cc in is it me md mk ml mm mov my no pl pm ps py re rs sh so st to us zip";

/// Whether a host written without a scheme is likely to be a link.
///
/// `more`: a path or a port follows.
pub(crate) fn is_domain(host: &str, more: bool) -> bool {
    let sure = more || host.starts_with("www.");
    if host.split('.').all(|part| part.bytes().all(|byte| byte.is_ascii_digit())) {
        // `1.2.3.4` is as likely a version as an address.
        return more;
    }
    let Some((_, ending)) = host.rsplit_once('.') else { return false };
    let is_in = |list: &str| list.split_ascii_whitespace().any(|known| known == ending);
    if is_in(AMBIGUOUS) {
        return sure;
    }
    ending.starts_with("xn--") || is_in(COUNTRIES) || is_in(GENERIC)
}
