// Tells whether this browser trusts the site already, and goes on to it; tells when the
// clock is wrong; copies the address. The page works without it.
(function () {
  'use strict';
  var main = document.querySelector('main');
  var check = document.getElementById('check');
  var button = document.getElementById('copy');

  if (button) {
    button.hidden = false;
    button.onclick = function () {
      var field = document.getElementById('url');
      field.focus();
      field.setSelectionRange(0, field.value.length);
      if (document.execCommand('copy')) button.textContent = button.getAttribute('data-done');
    };
  }

  // An invite comes after the #, where no server sees it: hand it on to the page.
  var go = main.getAttribute('data-go') + location.hash;
  [].forEach.call(document.querySelectorAll('a.go'), function (a) {
    a.href = go;
  });

  // An iPad calls itself a Mac; a Mac has no touch screen.
  var ipad = main.getAttribute('data-ipad');
  if (ipad && navigator.maxTouchPoints > 1 && !main.hasAttribute('data-stay')) location.replace(ipad);

  if (!window.fetch || !window.Promise || main.hasAttribute('data-app')) return;

  function show(state) {
    check.hidden = false;
    [].forEach.call(check.children, function (p) {
      p.hidden = p.getAttribute('data-state') !== state;
    });
  }

  function sayClock(offset) {
    var note = document.getElementById('clock');
    var minutes = Math.round(Math.abs(offset) / 60000);
    note.hidden = minutes < 5;
    if (note.hidden) return;
    var parts = [];
    [['d', 1440], ['h', 60], ['m', 1]].forEach(function (unit) {
      var n = Math.floor(minutes / unit[1]);
      minutes -= n * unit[1];
      if (n && parts.length < 2) parts.push(n + ' ' + note.getAttribute('data-' + unit[0]));
    });
    note.firstElementChild.textContent = note.getAttribute(offset < 0 ? 'data-behind' : 'data-ahead').replace('{}', parts.join(' '));
  }

  fetch('/', { method: 'HEAD', cache: 'no-store' }).then(function (answer) {
    var server = Date.parse(answer.headers.get('Date'));
    if (server) sayClock(Date.now() - server);
  }, function () {});

  var stay = main.hasAttribute('data-stay');
  var before = null; // was the site trusted when it was last asked?
  var timer;
  var leaving;

  document.getElementById('stay').onclick = function () {
    clearTimeout(leaving);
    stay = true;
    show('ready');
  };

  function trusted() {
    // Who has just installed the certificate wants to go on, wherever they were.
    if (stay && before !== false) return show('ready');
    show('trusted');
    leaving = setTimeout(function () { location.replace(go); }, 2000);
  }

  function ask() {
    clearTimeout(timer);
    if (leaving) return;
    fetch(main.getAttribute('data-probe'), { mode: 'cors', credentials: 'omit', cache: 'no-store' }).then(function (answer) {
      if (!answer.ok) throw answer;
      if (before !== true) trusted();
      before = true;
    }).catch(function () {
      before = false;
      show('untrusted');
      timer = setTimeout(ask, 3000);
    });
  }

  show('checking');
  ask();
  document.addEventListener('visibilitychange', function () {
    if (!document.hidden && before !== true) ask();
  });
})();
